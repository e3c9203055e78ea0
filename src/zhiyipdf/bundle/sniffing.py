"""Tells what bytes are from the bytes alone; names and declared types are not asked."""

from __future__ import annotations

import json
import logging
import re

__all__ = ["decode_text", "describe_head", "is_text_answer", "media_type_of"]

_logger = logging.getLogger(__name__)

_BOM = b"\xef\xbb\xbf"
_SHOWN_BYTES = 80
_HTML = re.compile(
    r"(?:\s|<!--.*?-->)*+<(?:!doctype\s+html|html|head|body|\?xml)\b", re.IGNORECASE | re.DOTALL
)
_JSON_OBJECT = re.compile(r"\s*+\{\s*+[\"}]")
_SVG = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg\b", re.DOTALL)
_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]+")

# Signatures of the formats a PDF's pictures come in, and of what else may lie beside them.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"mif1": "image/heif",
}


def media_type_of(head: bytes) -> str:
    """Name the format of a file by its first bytes.

    Args:
        head: At least the first 32 bytes, if there are so many; 4,096 tell text apart better.

    Returns:
        A media type; ``application/octet-stream`` if nothing is recognised.
    """
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:2] == b"BM" and head[6:10] == b"\x00\x00\x00\x00":
        return "image/bmp"
    if head[4:8] == b"ftyp" and head[8:12] in _BRANDS:
        return _BRANDS[head[8:12]]
    return _text_type_of(head)


def _text_type_of(head: bytes) -> str:
    if not head or b"\x00" in head:
        return "application/octet-stream"
    # The last character may be cut through.
    text = head.removeprefix(_BOM).decode("utf-8", "replace")
    if "\ufffd" in text[:-3]:
        return "application/octet-stream"
    if _SVG.match(text):
        return "image/svg+xml"
    if _HTML.match(text):
        return "text/html"
    return "application/json" if _JSON_OBJECT.match(text) else "text/plain"


def is_text_answer(content: bytes) -> bool:
    """Whether an answer that is no archive is the Markdown itself, rather than an error page."""
    head = content[:4096]
    if not content.strip() or b"\x00" in head or media_type_of(head) in _NOT_MARKDOWN:
        return False
    try:
        text = content.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            return False
    # A Markdown text may begin with "[" or with Marker's page mark "{0}".
    return not (_HTML.match(text) or _JSON_OBJECT.match(text) or _is_json(text))


_NOT_MARKDOWN = frozenset(media_type for _, media_type in _SIGNATURES) | {"text/html"}


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("[", '"')):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def decode_text(content: bytes, name: str) -> str:
    """Decode a text file: UTF-8 without its mark, else GB 18030.

    Args:
        content: Its bytes.
        name: For the log, should it be neither; the bytes that cannot be read are then replaced.
    """
    content = content.removeprefix(_BOM)
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    _logger.warning("%s is neither UTF-8 nor GB 18030; what cannot be read is replaced", name)
    return content.decode("utf-8", "replace")


def describe_head(head: bytes) -> str:
    """Say what the first bytes of an answer look like, for an error message; never shows a key."""
    if not head.strip():
        return "empty"
    head = head[:4096]
    shown = _KEY.sub("sk-***", head[: 4 * _SHOWN_BYTES].decode("utf-8", "replace"))
    kind = {
        "text/html": "an HTML page",
        "application/json": "JSON",
        "application/pdf": "a PDF",
        "application/octet-stream": "something unknown",
    }.get(media_type_of(head), "something else")
    return f"{kind} that begins with {shown[:_SHOWN_BYTES]!r}"
