"""Reads what a ZIP file says it holds, within bounds, and believes none of it.

A reader of its own beside ``zipfile``, because the checks need what that hides: raw names, offsets
as written, and the number of entries before they are parsed (300,000 entries cost ``zipfile``
169 MB, transport study 4.1). Layout: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 to 4.3.16.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from zhiyipdf.errors import UnsafeArchive
from zhiyipdf.policy import ArchiveLimits

__all__ = ["Entry", "read_directory", "read_local_header", "refused"]

LOCAL_SIGNATURE = b"PK\x03\x04"
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_MAX_COMMENT = 0xFFFF
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64_LOCATOR_SIGNATURE = b"PK\x06\x07"
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_SIGNATURE = b"PK\x06\x06"
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_CENTRAL_SIGNATURE = b"PK\x01\x02"
_LOCAL = struct.Struct("<4s5H3L2H")
_ZIP64_EXTRA = 0x0001
_FULL_32 = 0xFFFFFFFF
_SYSTEM_SHIFT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the central directory, as written there.

    Attributes:
        raw_name: Name in an encoding still to be found out.
        system: What made it (APPNOTE 4.4.2.2); 3 is Unix.
        flags: General purpose bits (4.4.4).
        method: Compression (4.4.5).
        crc: Of the unpacked bytes.
        packed_bytes: Size in the archive.
        size_bytes: Size unpacked.
        attributes: External attributes (4.4.15).
        header_offset: Where its local header begins.
    """

    raw_name: bytes
    system: int
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    attributes: int
    header_offset: int


def refused(reason: str) -> UnsafeArchive:
    """Make the error for an archive that breaks a rule."""
    return UnsafeArchive(f"The result's archive is refused: {reason}.", reason=reason)


def read_directory(
    file: BinaryIO, size_bytes: int, limits: ArchiveLimits
) -> tuple[tuple[Entry, ...], int]:
    """Read the central directory.

    Args:
        file: The archive, seekable.
        size_bytes: Its size.
        limits: How many entries, and how many bytes of them, are read.

    Returns:
        The entries in the directory's order, and the offset where the directory begins.

    Raises:
        UnsafeArchive: It is cut off, contradicts itself, or passes a limit.
    """
    count, length, offset, end = _read_end(file, size_bytes)
    if count > limits.max_entries:
        raise refused(f"it says it holds {count} files, more than {limits.max_entries}")
    if length > limits.max_directory_bytes:
        raise refused(f"its directory of {length} bytes is above {limits.max_directory_bytes}")
    if offset + length > end:
        raise refused("its directory lies outside the file")
    file.seek(offset)
    directory = file.read(length)
    entries: list[Entry] = []
    at = 0
    while at < length:
        if len(entries) == count:
            raise refused("its directory holds more files than it says")
        entry, at = _read_entry(directory, at)
        entries.append(entry)
    if len(entries) != count:
        raise refused("its directory holds fewer files than it says")
    return tuple(entries), offset


def read_local_header(file: BinaryIO, entry: Entry, directory_offset: int) -> int:
    """Compare an entry with what stands before its bytes.

    Args:
        file: The archive, seekable.
        entry: From the directory.
        directory_offset: Where the directory begins; no entry reaches into it.

    Returns:
        The offset of its packed bytes.

    Raises:
        UnsafeArchive: There is no header, it disagrees, or its bytes reach into the directory.
    """
    if entry.header_offset + _LOCAL.size > directory_offset:
        raise refused("a file lies outside the archive")
    file.seek(entry.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(LOCAL_SIGNATURE):
        raise refused("a file is not where the directory says")
    _, _, flags, method, _, _, _, _, _, name_length, extra_length = _LOCAL.unpack(header)
    if file.read(name_length) != entry.raw_name:
        raise refused("a file has another name in the directory than before its bytes")
    if method != entry.method or (flags ^ entry.flags) & 1:
        raise refused("a file is described in two different ways")
    start: int = entry.header_offset + _LOCAL.size + name_length + extra_length
    if start + entry.packed_bytes > directory_offset:
        raise refused("a file's bytes overlap the directory")
    return start


def _read_end(file: BinaryIO, size_bytes: int) -> tuple[int, int, int, int]:
    """Find the end record; gives entries, size and offset of the directory, and its upper bound."""
    tail_bytes = min(size_bytes, _END64_LOCATOR.size + _END.size + _MAX_COMMENT)
    file.seek(size_bytes - tail_bytes)
    tail = file.read(tail_bytes)
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or at + _END.size > len(tail):
        raise refused("it has no end: it was cut off")
    _, disk, start_disk, here, count, length, offset, _ = _END.unpack_from(tail, at)
    end = size_bytes - tail_bytes + at
    if tail[max(at - _END64_LOCATOR.size, 0) : at].startswith(_END64_LOCATOR_SIGNATURE):
        _, _, end64, _ = _END64_LOCATOR.unpack_from(tail, at - _END64_LOCATOR.size)
        if end64 + _END64.size > end:
            raise refused("its end record lies outside the file")
        file.seek(end64)
        record = _END64.unpack(file.read(_END64.size))
        if record[0] != _END64_SIGNATURE:
            raise refused("its end record is damaged")
        disk, start_disk, here, count, length, offset = record[4:]
        end = end64
    if disk or start_disk or here != count:
        raise refused("it is one of several parts")
    return count, length, offset, end


def _read_entry(directory: bytes, at: int) -> tuple[Entry, int]:
    """Read one entry; gives it and the offset of the next."""
    if at + _CENTRAL.size > len(directory):
        raise refused("its directory is cut off")
    fields = _CENTRAL.unpack_from(directory, at)
    signature, made_by, _, flags, method, _, _, crc, packed, size = fields[:10]
    name_length, extra_length, comment_length, disk, _, attributes, offset = fields[10:]
    if signature != _CENTRAL_SIGNATURE:
        raise refused("its directory is damaged")
    if disk:
        raise refused("it is one of several parts")
    name_at = at + _CENTRAL.size
    extra_at = name_at + name_length
    end = extra_at + extra_length + comment_length
    if end > len(directory):
        raise refused("its directory is cut off")
    wide = _wide_values(directory[extra_at : extra_at + extra_length])
    try:
        size, packed, offset = (
            wide.pop(0) if value == _FULL_32 else value for value in (size, packed, offset)
        )
    except IndexError:
        raise refused("its directory is damaged") from None
    entry = Entry(
        raw_name=directory[name_at:extra_at],
        system=made_by >> _SYSTEM_SHIFT,
        flags=flags,
        method=method,
        crc=crc,
        packed_bytes=packed,
        size_bytes=size,
        attributes=attributes,
        header_offset=offset,
    )
    return entry, end


def _wide_values(extra: bytes) -> list[int]:
    """Give the 64-bit numbers that do not fit the entry itself (APPNOTE 4.5.3)."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        content = extra[at + 4 : at + 4 + length]
        if kind == _ZIP64_EXTRA:
            count = min(len(content) // 8, 3)
            return list(struct.unpack_from(f"<{count}Q", content))
        at += 4 + length
    return []
