from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator

import pytest

from support.chat_endpoint import ChatEndpoint, chat_endpoint
from support.embedded import Running
from support.scripted_engine import scripted_pdf
from zhiyipdf.server.settings import TranslationEndpoint
from zhiyipdf.server.translation import TranslatedMarkdown, TranslationFailed, Translator

MARKDOWN = """# A title

Plain text with `code`, $x_1$ and <img src="images/1-2.png" style="zoom:70%;" />.

| name | value |
|---|---|
| mass | 12 |

```python
print("stay")
```

$$
E = mc^2
$$

- first
- second
"""


@pytest.fixture
def endpoint() -> Iterator[ChatEndpoint]:
    with chat_endpoint() as running:
        yield running


async def _translate(endpoint: ChatEndpoint, markdown: str) -> TranslatedMarkdown:
    settings = TranslationEndpoint(base_url=endpoint.base_url, model="small", key="sk-theirs")
    return await Translator(settings).translate(markdown, "en", on_share=lambda _: None)


async def test_text_is_translated_and_everything_else_stays(endpoint: ChatEndpoint) -> None:
    result = await _translate(endpoint, MARKDOWN)
    assert result.translated == MARKDOWN.replace("A title", "A TITLE").replace(
        "Plain text with", "PLAIN TEXT WITH"
    ).replace(" and <", " AND <").replace("| name | value |", "| NAME | VALUE |").replace(
        "mass", "MASS"
    ).replace("first", "FIRST").replace("second", "SECOND")


async def test_bilingual_text_has_each_block_followed_by_its_translation(
    endpoint: ChatEndpoint,
) -> None:
    result = await _translate(endpoint, "# A title\n\nText.\n\n```\ncode\n```\n")
    assert result.bilingual == "# A title\n\n# A TITLE\n\nText.\n\nTEXT.\n\n```\ncode\n```\n"


async def test_the_endpoint_is_asked_as_a_chat_completion(endpoint: ChatEndpoint) -> None:
    await _translate(endpoint, "Hello")
    (request,) = endpoint.requests
    assert request["path"] == "/v1/chat/completions"
    assert request["model"] == "small"
    assert "English" in request["messages"][0]["content"]
    assert request["messages"][1] == {"role": "user", "content": "Hello"}
    assert endpoint.keys == ["Bearer sk-theirs"]


async def test_equal_texts_are_asked_once(endpoint: ChatEndpoint) -> None:
    await _translate(endpoint, "Running title\n\nText\n\nRunning title\n")
    assert sorted(endpoint.texts) == ["Running title", "Text"]


async def test_a_passage_that_comes_back_without_its_formula_stays_as_it_was(
    endpoint: ChatEndpoint,
) -> None:
    endpoint.say = lambda _: "no marks"
    result = await _translate(endpoint, "Let $x$ be.\n")
    assert result.translated == "Let $x$ be.\n"
    assert len(endpoint.requests) == 2


async def test_a_translation_cannot_tear_a_table(endpoint: ChatEndpoint) -> None:
    endpoint.say = lambda text: f"{text} | {text}"
    table = "| a | b |\n|---|---|\n| c | d |\n"
    assert (await _translate(endpoint, table)).translated == table


async def test_a_busy_endpoint_is_asked_again(endpoint: ChatEndpoint) -> None:
    endpoint.statuses = [503]
    assert (await _translate(endpoint, "text")).translated == "TEXT\n"


@pytest.mark.parametrize("status", [400, 401, 404, 307])
async def test_a_refusal_of_the_endpoint_is_final(endpoint: ChatEndpoint, status: int) -> None:
    endpoint.statuses = [status]
    with pytest.raises(TranslationFailed, match=f"HTTP {status}"):
        await _translate(endpoint, "text")
    assert len(endpoint.requests) == 1


def _names(archive: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


def test_the_archive_holds_the_variants_that_were_asked_for(
    serve: Callable[..., Running], endpoint: ChatEndpoint
) -> None:
    api = serve(translation=TranslationEndpoint(base_url=endpoint.base_url, model="m"))
    pdf = scripted_pdf(pages=2, markdown="Hello")
    fields = {"enable_translation": "true", "target_language": "fr"}
    answer = api.submit(pdf, **fields, output_options="original,translated,bilingual")
    assert answer["points_deducted"] == 2 * 3
    api.finish(answer["task_id"])
    assert _names(api.get(f"/download/{answer['task_id']}").content) == {
        "document.md": "Hello\n\nHello\n",
        "document_translated.md": "HELLO\n\nHELLO\n",
        "document_bilingual.md": "Hello\n\nHELLO\n\nHello\n\nHELLO\n",
    }
    assert list(_names(api.convert(pdf, **fields, output_options="translated"))) == [
        "document_translated.md"
    ]
    assert "French" in endpoint.requests[0]["messages"][0]["content"]


def test_a_failing_endpoint_fails_the_task_and_returns_the_points(
    serve: Callable[..., Running], endpoint: ChatEndpoint
) -> None:
    endpoint.statuses = [401] * 10
    api = serve(
        points=30, translation=TranslationEndpoint(base_url=endpoint.base_url, model="m", key="k")
    )
    task_id = api.submit(scripted_pdf(), enable_translation="true", output_options="translated")[
        "task_id"
    ]
    assert api.finish(task_id)["error_code"] == "parse_error"
    assert api.points() == 30


def test_the_endpoints_key_is_not_shown() -> None:
    endpoint = TranslationEndpoint(base_url="http://x/v1", model="m", key="sk-theirs")
    assert "sk-theirs" not in repr(endpoint)
    with pytest.raises(ValueError, match="http"):
        TranslationEndpoint(base_url="file:///etc/passwd", model="m")
