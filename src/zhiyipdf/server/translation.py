"""Markdown into another language, block by block, through an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from zhiyipdf.server.segments import cell_edges, protect, restore, split_blocks, split_segments
from zhiyipdf.server.settings import TranslationEndpoint
from zhiyipdf.server.threads import in_daemon_thread

__all__ = ["DOC2X_LANGUAGES", "LANGUAGES", "TranslatedMarkdown", "TranslationFailed", "Translator"]

logger = logging.getLogger(__name__)

# The eight codes of the API document, "目标语言 (target_language)".
LANGUAGES = {
    "zh": "Simplified Chinese",
    "en": "English",
    "ja": "Japanese",
    "ko": "Korean",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "ru": "Russian",
}
# Those and the other two that Doc2X knows (wire notes 1.2).
DOC2X_LANGUAGES = {**LANGUAGES, "pt": "Portuguese", "ar": "Arabic"}

_INSTRUCTION = (
    "Translate the user's text into {language}. Answer with the translation only, on one line, "
    "without quotes or remarks. Keep every mark of the form \u27e61\u27e7 exactly as it is, each "
    "once. Keep Markdown emphasis. Text already in {language} is answered unchanged."
)
TRIES = 3
_ANSWER_MAX_BYTES = 4 << 20


class TranslationFailed(RuntimeError):
    """The endpoint refused, could not be reached, or did not answer as its kind does."""


@dataclass(frozen=True, slots=True)
class TranslatedMarkdown:
    """Both results of one translation.

    Attributes:
        translated: Every block in the other language.
        bilingual: Each block, then its translation.
    """

    translated: str
    bilingual: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Refuse: urllib then raises HTTPError with the 3xx status."""
        return


class Translator:
    """Translates through one endpoint.

    Args:
        endpoint: Where, with which model and key.
    """

    def __init__(self, endpoint: TranslationEndpoint) -> None:
        self._endpoint = endpoint
        self._url = endpoint.base_url.rstrip("/") + "/chat/completions"
        self._opener = urllib.request.build_opener(_NoRedirects)

    async def translate(
        self, markdown: str, language: str, *, on_share: Callable[[float], None]
    ) -> TranslatedMarkdown:
        """Translate a document.

        Args:
            markdown: The original.
            language: One of :data:`LANGUAGES`.
            on_share: Called with the share of blocks done, 0 to 1.

        Raises:
            TranslationFailed: The endpoint failed for good.
        """
        blocks = split_blocks(markdown)
        translated = await self.translate_blocks(blocks, language, on_share=on_share)
        pairs = [
            original if original == other else f"{original}\n\n{other}"
            for original, other in zip(blocks, translated, strict=True)
        ]
        return TranslatedMarkdown("\n\n".join(translated) + "\n", "\n\n".join(pairs) + "\n")

    async def translate_blocks(
        self, blocks: Sequence[str], language: str, *, on_share: Callable[[float], None]
    ) -> list[str]:
        """Translate blocks, each on its own.

        Args:
            blocks: Markdown blocks.
            language: One of :data:`DOC2X_LANGUAGES`.
            on_share: As for :meth:`translate`.

        Returns:
            As many, in the same order.

        Raises:
            TranslationFailed: The endpoint failed for good.
        """
        lanes = asyncio.Semaphore(self._endpoint.parallel)
        # Running titles and table heads repeat: one request for each different text.
        known: dict[str, asyncio.Task[str]] = {}
        done = 0

        async def one(text: str) -> str:
            async with lanes:
                return await self._one(text, language)

        async def block(text: str) -> str:
            nonlocal done
            parts = []
            for segment in split_segments(text):
                if segment.literal:
                    parts.append(segment.text)
                    continue
                if segment.text not in known:
                    known[segment.text] = group.create_task(one(segment.text))
                parts.append(await known[segment.text])
            done += 1
            on_share(done / len(blocks))
            return "".join(parts)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(block(text)) for text in blocks]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        return [task.result() for task in tasks]

    async def _one(self, text: str, language: str) -> str:
        marked, kept = protect(text)
        for _ in range(2):
            answer = await in_daemon_thread(
                lambda: self._ask(marked, language), name="zhiyipdf-translation"
            )
            restored = restore(" ".join(answer.split()), kept)
            if restored is not None and cell_edges(restored) == cell_edges(text):
                return restored
        # A model that loses formulas twice gets no third chance: the original is better.
        logger.warning("a passage of %s characters stays untranslated", len(text))
        return text

    def _ask(self, text: str, language: str) -> str:
        body = json.dumps(
            {
                "model": self._endpoint.model,
                "temperature": 0,
                "messages": [
                    {
                        "role": "system",
                        "content": _INSTRUCTION.format(language=DOC2X_LANGUAGES[language]),
                    },
                    {"role": "user", "content": text},
                ],
            }
        ).encode()
        for attempt in range(TRIES):
            try:
                return _content(self._post(body))
            except urllib.error.HTTPError as error:
                error.close()
                final = error.code not in {408, 409, 429} and error.code < 500
                if final or attempt == TRIES - 1:
                    raise TranslationFailed(f"the endpoint answered HTTP {error.code}") from None
            except (OSError, HTTPException) as error:
                if attempt == TRIES - 1:
                    raise TranslationFailed(
                        f"the endpoint cannot be reached: {type(error).__name__}"
                    ) from None
            time.sleep(2.0**attempt / 2)
        raise AssertionError("unreachable")

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._endpoint.key:
            headers["Authorization"] = f"Bearer {self._endpoint.key}"
        request = urllib.request.Request(  # noqa: S310 - the settings allow http(s) only
            self._url, data=body, headers=headers, method="POST"
        )
        with self._opener.open(request, timeout=self._endpoint.timeout_s) as response:
            content: bytes = response.read(_ANSWER_MAX_BYTES + 1)
        if len(content) > _ANSWER_MAX_BYTES:
            raise TranslationFailed("the endpoint's answer is too long")
        return content


def _content(answer: bytes) -> str:
    try:
        content = json.loads(answer)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        content = None
    if not isinstance(content, str) or not content.strip():
        raise TranslationFailed("the endpoint did not answer as a chat completion")
    return content
