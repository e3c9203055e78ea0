"""The result's ZIP in the real service's layout, and the names in it."""

from __future__ import annotations

import os
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from pathlib import Path

from zhiyipdf.server.engine import PICTURE_FOLDER

__all__ = ["archive_entry", "decode_file_name", "result_stem", "variant_name", "write_archive"]

# Bytes: file systems allow 255 for a name, and "_bilingual.md" comes on top.
STEM_MAX_BYTES = 200
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_SUFFIXES = {"original": "", "translated": "_translated", "bilingual": "_bilingual"}


def decode_file_name(raw: bytes) -> str:
    """Decode the file name of an upload.

    UTF-8 by RFC 7578; the API document's own Windows example makes curl send the system's code
    page, which is GBK on the machines it is written for.
    """
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def result_stem(file_name: str) -> str:
    """The stem of the result's files: that of the upload, made safe for any file system.

    Args:
        file_name: As uploaded; may hold a path.

    Returns:
        Never empty, at most :data:`STEM_MAX_BYTES` bytes in UTF-8.
    """
    name = re.split(r"[/\\]", file_name)[-1]
    stem = name[:-4] if name.lower().endswith(".pdf") else name
    stem = _UNSAFE.sub("_", unicodedata.normalize("NFC", stem).replace("%22", "_"))
    stem = stem.encode("utf-8", "replace")[:STEM_MAX_BYTES].decode("utf-8", "ignore")
    stem = stem.strip().strip(".").strip()
    if _RESERVED.fullmatch(stem):
        stem = f"_{stem}"
    return stem or "document"


def variant_name(stem: str, variant: str) -> str:
    """The Markdown file of a variant: ``<stem>.md``, ``<stem>_translated.md``, ..."""
    return f"{stem}{_SUFFIXES[variant]}.md"


def write_archive(
    target: Path, *, stem: str, variants: Mapping[str, str], pictures: Path | None
) -> None:
    """Write the ZIP; it appears under its name only when it is complete and on the disk.

    Args:
        target: The file to make.
        stem: :func:`result_stem`.
        variants: Markdown by variant.
        pictures: Folder of pictures, if there are any.
    """
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            for variant, markdown in variants.items():
                archive.writestr(
                    archive_entry(variant_name(stem, variant)),
                    markdown.encode("utf-8", "replace"),
                    zipfile.ZIP_DEFLATED,
                )
            for picture in sorted(pictures.iterdir()) if pictures else ():
                entry = archive_entry(f"{PICTURE_FOLDER}/{picture.name}")
                entry.file_size = picture.stat().st_size
                # Pictures are compressed already.
                with picture.open("rb") as source, archive.open(entry, "w") as sink:
                    while chunk := source.read(1 << 20):
                        sink.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def archive_entry(name: str) -> zipfile.ZipInfo:
    """An entry with a fixed time: the same PDF gives the same bytes.

    Names beyond ASCII get the UTF-8 flag.
    """
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    return entry
