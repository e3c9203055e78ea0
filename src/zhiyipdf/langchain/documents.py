"""Writes records as LangChain documents, and inputs as a repr may show them."""

from __future__ import annotations

import os
from typing import Any

from langchain_core.documents import Document

from zhiyipdf.documents import PAGE_INDEX_KEY, Record, page_index
from zhiyipdf.sources import public_uri

__all__ = ["document_of", "shown"]


def document_of(record: Record) -> Document:
    """Write a record as LangChain has it: with its 0-based page."""
    metadata: dict[str, Any] = dict(record.metadata)
    page = page_index(record.metadata)
    if page is not None:
        metadata[PAGE_INDEX_KEY] = page
    return Document(page_content=record.text, id=record.id, metadata=metadata)


def shown(file_path: Any) -> str:
    """Name the input in a repr: no content, no credentials."""
    if isinstance(file_path, str | os.PathLike):
        return repr(public_uri(os.fsdecode(file_path)))
    if isinstance(file_path, bytes | bytearray | memoryview):
        return f"<{len(file_path)} bytes>"
    if isinstance(file_path, list | tuple):
        return f"[{', '.join(shown(member) for member in file_path)}]"
    return f"<{type(file_path).__name__}>"
