"""Puts a Doc2X result together as an archive; equal results give equal bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from zhiyipdf.bundle import LAYOUT_NAME, write_layout
from zhiyipdf.models import LayoutSpan, Variant
from zhiyipdf.providers.doc2x_layout import JoinedPages

__all__ = ["MARKDOWN_NAME", "write_archive"]

MARKDOWN_NAME = "output.md"
"""As in the service's own exports (wire notes 2.3)."""

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment a ZIP can name


def write_archive(to: Path, joined: JoinedPages, pictures: Mapping[str, Path]) -> None:
    """Write an archive; blocking.

    Args:
        to: Overwritten.
        joined: The text and its layout.
        pictures: Files by the name that the Markdown shows them by.
    """
    with zipfile.ZipFile(to, "w") as archive:
        _add(archive, MARKDOWN_NAME, joined.markdown.encode("utf-8", "replace"))
        layout: dict[Variant, tuple[LayoutSpan, ...]] = (
            {"original": joined.layout} if joined.layout else {}
        )
        _add(archive, LAYOUT_NAME, write_layout(layout))
        for name in sorted(pictures):
            _add(archive, name, pictures[name].read_bytes())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=_EARLIEST)
    entry.external_attr = 0o644 << 16
    # Stored as it is: what zlib makes of it differs from version to version.
    archive.writestr(entry, content)
