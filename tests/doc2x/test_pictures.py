"""One picture, read while you wait."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.archives import PNG, real_zip
from support.doc2x_service import Doc2XService, coded, reset, reset_at
from zhiyipdf.doc2x import FileError, read_picture
from zhiyipdf.errors import AuthenticationError, RateLimited, ServiceUnavailable

KEY = "sk-0a1b2c3d4e5f"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Doc2XService]:
    service = Doc2XService()
    monkeypatch.setenv("DOC2X_BASE_URL", service.url)
    monkeypatch.setenv("DOC2X_API_KEY", KEY)
    yield service
    service.close()


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "formula.png"
    path.write_bytes(PNG)
    return path


async def test_a_picture_is_its_text_and_its_figures(service: Doc2XService, png: Path) -> None:
    service.image_zip = base64.b64encode(real_zip({"images/0.png": PNG})).decode()
    picture = await read_picture(png)
    assert picture.markdown == "# Read\n\n\\(E=mc^2\\)\n"
    assert (picture.width, picture.height) == (1000, 800)
    assert picture.figures == {"images/0.png": PNG}
    (seen,) = service.of("image_now")
    assert (seen.body, seen.headers["content-type"]) == (PNG, "image/png")


async def test_an_answer_larger_than_a_poll_s_is_read(service: Doc2XService, png: Path) -> None:
    figure = PNG + bytes(5_000_000)
    service.image_zip = base64.b64encode(real_zip({"images/0.png": figure})).decode()
    service.image_zip += "\n" * 5_000_000  # white space is allowed in base64
    assert (await read_picture(png)).figures == {"images/0.png": figure}


@pytest.mark.parametrize(
    ("fault", "error", "charged"),
    [
        (coded("request_limit_exceeded"), RateLimited, False),
        (coded("unauthorized"), AuthenticationError, False),
        (reset, ServiceUnavailable, None),
    ],
)
async def test_a_refusal_says_whether_a_page_is_gone(
    service: Doc2XService, png: Path, fault: Any, error: type[Exception], charged: bool | None
) -> None:
    service.queue("image_now", fault)
    with pytest.raises(error) as caught:
        await read_picture(png)
    assert getattr(caught.value, "points_charged", ...) is charged
    assert len(service.of("image_now")) == 1


async def test_what_breaks_off_before_its_end_costs_nothing(
    service: Doc2XService, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(b"\xff\xd8\xff" + bytes(6_900_000))
    service.queue("image_now", reset_at(1000))
    with pytest.raises(ServiceUnavailable) as caught:
        await read_picture(large)
    assert caught.value.points_charged is False


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a", "neither PNG nor JPEG"),
        (b"\xff\xd8\xff" + bytes(7 * 1024 * 1024), "too large"),
        (None, "cannot open"),
    ],
    ids=["gif", "large", "missing"],
)
async def test_a_file_that_cannot_be_sent_is_a_file_error(
    service: Doc2XService, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "a"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileError, match=words):
        await read_picture(path)
    assert service.seen == []
