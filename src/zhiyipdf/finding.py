"""Find sources one by one; what cannot be found becomes an outcome in its place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.models import Outcome
from zhiyipdf.sources import SourceRef, expand, public_uri

__all__ = ["find_all", "find_one"]


PDFS = (".pdf",)


def find_one(
    source: object,
    *,
    storage_options: Mapping[str, Any],
    fs: Any,
    suffixes: tuple[str, ...] = PDFS,
) -> SourceRef:
    """Find a source that is one PDF.

    Raises:
        OSError: It cannot be found.
        ValueError: It is none, or more than one; the message names the first.
    """
    refs = expand(source, storage_options=storage_options, fs=fs, suffixes=suffixes)
    first = next(refs, None)
    if first is None:
        raise ValueError("there is no source to convert")
    if next(refs, None) is not None:
        raise ValueError(f"there are several, the first of them is {first.uri}")
    return first


def find_all(
    sources: object,
    *,
    storage_options: Mapping[str, Any],
    fs: Any,
    suffixes: tuple[str, ...] = PDFS,
) -> Iterator[SourceRef | Outcome]:
    """Find sources lazily; one that cannot be found does not hide those after it.

    Args:
        sources: Whatever :func:`zhiyipdf.sources.expand` takes; lists in lists too.
        storage_options: For fsspec.
        fs: An fsspec filesystem that the sources are paths on.
        suffixes: Which files of a folder are meant.
    """
    if _is_several(sources):
        for source in sources:  # type: ignore[attr-defined]  # _is_several has looked
            yield from find_all(source, storage_options=storage_options, fs=fs, suffixes=suffixes)
        return
    try:
        yield from expand(sources, storage_options=storage_options, fs=fs, suffixes=suffixes)
    except (ZhiyiPDFError, OSError, ImportError, ValueError, TypeError) as error:
        yield Outcome(source=_shown(sources), error=error)


def _is_several(sources: object) -> bool:
    """Whether it is a container of sources and not a source: files and blobs iterate too."""
    if isinstance(sources, str | bytes | bytearray | memoryview | os.PathLike | SourceRef):
        return False
    readable = hasattr(sources, "read") or hasattr(sources, "as_bytes")
    return isinstance(sources, Iterable) and not readable


def _shown(source: object) -> str:
    if isinstance(source, str | os.PathLike):
        return public_uri(os.fsdecode(source))
    return f"<{type(source).__name__}>"
