"""Decides whether an archive may be unpacked, and how, before anything is written.

The 28 hostile archives these rules come from are in the transport study, section 4.1.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from zhiyipdf.bundle.directory import (
    LOCAL_SIGNATURE,
    Entry,
    read_directory,
    read_local_header,
    refused,
)
from zhiyipdf.bundle.names import check_distinct, checked_name, decode_names, names_on_disk
from zhiyipdf.bundle.sniffing import describe_head
from zhiyipdf.errors import UnsafeArchive
from zhiyipdf.policy import ArchiveLimits

__all__ = ["ArchivePlan", "PlannedFile", "plan_archive"]

STORED, DEFLATED = 0, 8
_UNIX, _MAC = 3, 19
_WINDOWS_REPARSE_POINT = 0x400
_DOS_FOLDER = 0x10
# Encrypted, patched, strongly encrypted, masked (APPNOTE 4.4.4).
_UNREADABLE = 1 | 1 << 5 | 1 << 6 | 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One file of an archive that may be unpacked.

    Attributes:
        name: Its path in the archive: relative, with ``/``, NFC.
        on_disk: Its path below the folder it is unpacked to; differs where a system could not
            hold the name.
        offset: Where its packed bytes begin.
        packed_bytes: How many there are.
        size_bytes: What they unpack to.
        crc: CRC-32 of that.
        method: 0 stored, 8 deflated.
    """

    name: str
    on_disk: str
    offset: int
    packed_bytes: int
    size_bytes: int
    crc: int
    method: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlan:
    """What unpacking an archive would write.

    Attributes:
        files: In the order of their bytes in the archive.
        encoding: Of the names that do not say it themselves: utf-8, gb18030 or cp437.
        renamed: Names that are written under another one, and that other one.
    """

    files: tuple[PlannedFile, ...]
    encoding: str = "utf-8"
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        """Size of all files unpacked."""
        return sum(file.size_bytes for file in self.files)


def plan_archive(path: Path, limits: ArchiveLimits) -> ArchivePlan:
    """Check a ZIP archive; nothing is written, and only its directory and headers are read.

    Args:
        path: The archive.
        limits: What it may hold.

    Returns:
        What to unpack.

    Raises:
        UnsafeArchive: It breaks a rule, which is in ``.reason``.
    """
    try:
        with path.open("rb") as file:
            return _plan(file, os.fstat(file.fileno()).st_size, limits)
    except UnsafeArchive as error:
        error.archive = str(path)
        raise


def _plan(file: BinaryIO, size_bytes: int, limits: ArchiveLimits) -> ArchivePlan:
    head = file.read(1024)
    if not head.startswith(LOCAL_SIGNATURE):
        raise refused(f"it is not a ZIP archive but {describe_head(head)}")
    if size_bytes > limits.max_archive_bytes:
        raise refused(f"its {size_bytes} bytes are above {limits.max_archive_bytes}")
    entries, directory_offset = read_directory(file, size_bytes, limits)
    raw_names, encoding = decode_names(entries)
    folders: list[str] = []
    found: dict[str, Entry] = {}
    names: list[str] = []
    for entry, raw_name in zip(entries, raw_names, strict=True):
        name = checked_name(raw_name, limits)
        _check_kind(entry, name)
        if _is_folder(entry, raw_name):
            folders.append(name)
            continue
        _check_content(entry, name, limits)
        names.append(name)
        found[name] = entry
    check_distinct(names, folders)
    _check_total(list(found.values()), size_bytes, limits)
    offsets = _check_overlap(file, entries, directory_offset)
    on_disk = names_on_disk(names)
    files = (
        PlannedFile(
            name=name,
            on_disk=on_disk[name],
            offset=offsets[entry.header_offset],
            packed_bytes=entry.packed_bytes,
            size_bytes=entry.size_bytes,
            crc=entry.crc,
            method=entry.method,
        )
        for name, entry in found.items()
    )
    return ArchivePlan(
        files=tuple(sorted(files, key=lambda planned: planned.offset)),
        encoding=encoding,
        renamed={name: other for name, other in on_disk.items() if name != other},
    )


def _check_kind(entry: Entry, name: str) -> None:
    """Refuse what is neither a plain file nor a folder."""
    if entry.flags & _UNREADABLE:
        raise refused(f"{name[:80]!r} is encrypted")
    if entry.method not in {STORED, DEFLATED}:
        raise refused(f"{name[:80]!r} is packed by method {entry.method}, not by 0 or 8")
    mode = stat.S_IFMT(entry.attributes >> 16)
    if mode not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise refused(f"{name[:80]!r} is a link or a device, not a file")
    if entry.system not in {_UNIX, _MAC} and entry.attributes & _WINDOWS_REPARSE_POINT:
        raise refused(f"{name[:80]!r} is a link, not a file")


def _is_folder(entry: Entry, raw_name: str) -> bool:
    marked = stat.S_ISDIR(entry.attributes >> 16) or bool(entry.attributes & _DOS_FOLDER)
    if raw_name.endswith(("/", "\\")) or (marked and not entry.size_bytes):
        if entry.size_bytes:
            raise refused(f"the folder {raw_name[:80]!r} has content")
        return True
    return False


def _check_content(entry: Entry, name: str, limits: ArchiveLimits) -> None:
    size, packed = entry.size_bytes, entry.packed_bytes
    if size > limits.max_entry_bytes:
        raise refused(f"{name[:80]!r} unpacks to {size} bytes, above {limits.max_entry_bytes}")
    if size > limits.ratio_floor_bytes and size > limits.max_ratio * packed:
        ratio = size / max(packed, 1)
        raise refused(f"{name[:80]!r} grows {ratio:.0f} times, above {limits.max_ratio:.0f}")
    if entry.method == STORED and size != packed:
        raise refused(f"{name[:80]!r} is stored with two different sizes")


def _check_total(entries: Sequence[Entry], size_bytes: int, limits: ArchiveLimits) -> None:
    total = sum(entry.size_bytes for entry in entries)
    if total > limits.max_total_bytes:
        raise refused(f"it unpacks to {total} bytes, above {limits.max_total_bytes}")
    if total > limits.ratio_floor_bytes and total > limits.max_ratio * size_bytes:
        ratio = total / size_bytes
        raise refused(f"it grows {ratio:.0f} times, above {limits.max_ratio:.0f}")


def _check_overlap(
    file: BinaryIO, entries: Sequence[Entry], directory_offset: int
) -> dict[int, int]:
    """Refuse files that share bytes; gives the offset of packed bytes by that of the header."""
    offsets: dict[int, int] = {}
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise refused("files overlap")
        start = read_local_header(file, entry, directory_offset)
        offsets[entry.header_offset] = start
        end = start + entry.packed_bytes
    return offsets
