"""Writes the files of a planned archive, piece by piece, and proves each by CRC and size."""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from zhiyipdf.bundle.archive import DEFLATED, PlannedFile
from zhiyipdf.bundle.directory import refused

__all__ = ["Extracted", "clear_folder", "extract"]

# z.read() of a whole file takes twice its size in memory (transport study 4.1).
_PIECE_BYTES = 1024 * 1024
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """A file that was written.

    Attributes:
        path: Where it is.
        sha256: Of its bytes.
        size_bytes: How many there are.
        head: The first of them.
    """

    path: Path
    sha256: str
    size_bytes: int
    head: bytes


def extract(archive: Path, files: Sequence[PlannedFile], into: Path) -> dict[str, Extracted]:
    """Unpack files of an archive.

    Args:
        archive: The archive the plan was made of.
        files: Of its plan, in that order.
        into: An existing, empty folder.

    Returns:
        What was written, by the name in the archive.

    Raises:
        UnsafeArchive: A file's bytes are not what the directory says. What was written before is
            left; see :func:`clear_folder`.
        OSError: The disk is full, for example.
    """
    root = into.resolve()
    done: dict[str, Extracted] = {}
    with archive.open("rb") as source:
        for file in files:
            path = root.joinpath(*file.on_disk.split("/"))
            if not path.resolve().is_relative_to(root):  # the names were checked; so is their sum
                raise refused(f"{file.name[:80]!r} leads out of the archive")
            path.parent.mkdir(parents=True, exist_ok=True)
            done[file.name] = _write(source, file, path)
    return done


def clear_folder(folder: Path) -> None:
    """Delete what is in a folder, and keep the folder."""
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()


def _write(source: BinaryIO, file: PlannedFile, path: Path) -> Extracted:
    crc, size, head = 0, 0, b""
    digest = hashlib.sha256()
    with path.open("xb") as target:
        for piece in _unpacked(source, file):
            size += len(piece)
            if size > file.size_bytes:
                raise refused(f"{file.name[:80]!r} is longer than it says")
            crc = zlib.crc32(piece, crc)
            digest.update(piece)
            head = head or piece[:_HEAD_BYTES]
            target.write(piece)
    if size != file.size_bytes:
        raise refused(f"{file.name[:80]!r} is shorter than it says")
    if crc != file.crc:
        raise refused(f"{file.name[:80]!r} is damaged: its CRC differs")
    return Extracted(path=path, sha256=digest.hexdigest(), size_bytes=size, head=head)


def _unpacked(source: BinaryIO, file: PlannedFile) -> Iterator[bytes]:
    """Give a file's bytes in pieces of at most 1 MB, whatever they unpack to."""
    source.seek(file.offset)
    packed = _packed(source, file)
    if file.method != DEFLATED:
        yield from packed
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in packed:
            rest = piece
            while rest and not inflate.eof:
                yield inflate.decompress(rest, _PIECE_BYTES)
                rest = inflate.unconsumed_tail
        while not inflate.eof and (more := inflate.decompress(b"", _PIECE_BYTES)):
            yield more
    except zlib.error:
        raise refused(f"{file.name[:80]!r} is damaged: it cannot be unpacked") from None
    if not inflate.eof:
        raise refused(f"{file.name[:80]!r} is cut off")


def _packed(source: BinaryIO, file: PlannedFile) -> Iterator[bytes]:
    left = file.packed_bytes
    while left:
        piece = source.read(min(left, _PIECE_BYTES))
        if not piece:
            raise refused(f"{file.name[:80]!r} is cut off")
        left -= len(piece)
        yield piece
