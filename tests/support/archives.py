"""Writes ZIP archives byte by byte, hostile ones too: 28 of them, after transport study 4.1."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)
MARKDOWN = b'# Title\n\n<img src="images/1-1.png" style="zoom:70%;" />\n'


@dataclass(kw_only=True)
class Member:
    """One entry, with every field open to lies."""

    name: bytes
    content: bytes = b"x"
    flags: int = 0
    method: int = zipfile.ZIP_DEFLATED
    mode: int = 0
    system: int = 3
    packed: bytes | None = None
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    local_name: bytes | None = None
    wide: bool = False  # sizes and offset as 64-bit numbers
    same_bytes_as: int | None = None  # index of the member whose header this one points to


def write_zip(members: Iterable[Member], *, count: int | None = None) -> bytes:
    """Put members together; ``count`` is what the end record says if it is to lie."""
    out = io.BytesIO()
    central: list[bytes] = []
    offsets: list[int] = []
    for member in members:
        packed = member.packed
        if packed is None:
            deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = member.content
            if member.method != zipfile.ZIP_STORED:
                packed = deflate.compress(member.content) + deflate.flush()
        sizes = (
            zlib.crc32(member.content) if member.crc is None else member.crc,
            len(packed) if member.packed_size is None else member.packed_size,
            len(member.content) if member.size is None else member.size,
        )
        offset = out.tell()
        if member.same_bytes_as is None:
            local_name = member.name if member.local_name is None else member.local_name
            out.write(struct.pack("<4s5H", b"PK\3\4", 20, member.flags, member.method, 0, 33))
            narrow = (min(size, 0xFFFFFFFF) for size in sizes)
            out.write(struct.pack("<3L2H", *narrow, len(local_name), 0))
            out.write(local_name + packed)
        else:
            offset = offsets[member.same_bytes_as]
        offsets.append(offset)
        numbers, extra = (sizes[0], sizes[1], sizes[2], offset), b""
        if member.wide:
            numbers = (sizes[0], 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
            extra = struct.pack("<2H3Q", 1, 24, sizes[2], sizes[1], offset)
        central.append(
            struct.pack("<4s6H", b"PK\1\2", member.system << 8 | 20, 20, member.flags,
                        member.method, 0, 33)
            + struct.pack("<3L5H2L", *numbers[:3], len(member.name), len(extra), 0, 0, 0,
                          member.mode << 16, numbers[3])
            + member.name
            + extra
        )  # fmt: skip
    start = out.tell()
    out.write(b"".join(central))
    length = out.tell() - start
    said = len(central) if count is None else count
    if said > 0xFFFF:
        end64 = out.tell()
        out.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, said, said, length, start))
        out.write(struct.pack("<4sLQL", b"PK\6\7", 0, end64, 1))
        said = 0xFFFF
    out.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, said, said, length, start, 0))
    return out.getvalue()


def real_zip(files: Mapping[str, bytes]) -> bytes:
    """Pack files as ``zipfile`` does."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def result_zip(*more: Member) -> bytes:
    """A result in the service's own layout, and some members more."""
    return write_zip(
        [
            Member(name=b"paper.md", content=MARKDOWN),
            Member(name=b"images/1-1.png", content=PNG, method=zipfile.ZIP_STORED),
            *more,
        ]
    )


def many_entries(number: int) -> bytes:
    """An archive of so many empty files."""
    empty = {"content": b"", "method": zipfile.ZIP_STORED}
    return write_zip(Member(name=b"%06d.md" % n, **empty) for n in range(number))


def overlapping(number: int) -> bytes:
    """Files that all unpack the same bytes: 28 KB become a gigabyte in the study."""
    kernel = Member(name=b"paper.md", content=random.Random(0).randbytes(300_000))
    rest = (
        Member(name=b"%04d.md" % n, content=kernel.content, same_bytes_as=0) for n in range(number)
    )
    return write_zip([kernel, *rest])


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """An archive and what is to become of it.

    Attributes:
        label: Its row in the study's table.
        build: Makes it.
        reason: Pattern of the reason it is refused for; None if it is unpacked.
    """

    label: str
    build: Callable[[], bytes]
    reason: str | None


def _with(**fields: object) -> Callable[[], bytes]:
    return lambda: result_zip(Member(**fields))  # type: ignore[arg-type]


HOSTILE: tuple[Hostile, ...] = (
    Hostile(label="leads up", build=_with(name=b"../../evil"), reason="leads out"),
    Hostile(label="absolute", build=_with(name=b"/../evil"), reason="absolute"),
    Hostile(label="up within", build=_with(name=b"images/../../evil"), reason="leads out"),
    Hostile(label="backslashes", build=_with(name=rb"..\..\evil"), reason="leads out"),
    Hostile(label="drive", build=_with(name=rb"C:\evil"), reason="absolute"),
    Hostile(label="host", build=_with(name=b"//host/evil"), reason="absolute"),
    Hostile(
        label="link and a file through it",
        build=lambda: result_zip(
            Member(name=b"out", content=b"/tmp", mode=stat.S_IFLNK | 0o777),
            Member(name=b"out/evil"),
        ),
        reason="link or a device",
    ),
    Hostile(
        label="pipe",
        build=_with(name=b"pipe", mode=stat.S_IFIFO | 0o644),
        reason="link or a device",
    ),
    Hostile(label="setuid", build=_with(name=b"tool", mode=stat.S_IFREG | 0o4755), reason=None),
    Hostile(label="same name twice", build=_with(name=b"paper.md"), reason="two files"),
    Hostile(
        label="bomb", build=_with(name=b"zeros.bin", content=bytes(32 << 20)), reason="grows 10"
    ),
    Hostile(label="overlap", build=lambda: overlapping(40), reason="overlap"),
    Hostile(label="encrypted", build=_with(name=b"secret.md", flags=1), reason="encrypted"),
    Hostile(label="300,000 entries", build=lambda: many_entries(300_000), reason="300000 files"),
    Hostile(
        label="GBK names",
        build=lambda: write_zip(
            [
                Member(name="论文.md".encode("gbk"), content="![图](图片/一.png)".encode()),
                Member(name="图片/一.png".encode("gbk"), content=PNG),
            ]
        ),
        reason=None,
    ),
    Hostile(
        label="UTF-8 names without the flag",
        build=lambda: write_zip(
            [
                Member(name="论文.md".encode(), content="![图](图片/一.png)".encode()),
                Member(name="图片/一.png".encode(), content=PNG),
            ]
        ),
        reason=None,
    ),
    Hostile(
        label="cut off at two thirds",
        build=lambda: (whole := result_zip())[: len(whole) * 2 // 3],
        reason="cut off",
    ),
    Hostile(
        label="JSON error",
        build=lambda: b'{"success": false, "error_code": "task_not_found"}',
        reason="JSON that begins with .*task_not_found",
    ),
    Hostile(
        label="HTML page",
        build=lambda: b"\n<!DOCTYPE html><html><title>502</title></html>",
        reason="HTML page that begins with .*502",
    ),
    Hostile(label="empty answer", build=lambda: b"", reason="empty"),
    Hostile(
        label="junk before and after",
        build=lambda: b"junk" + result_zip() + b"junk",
        reason="not an archive",
    ),
    Hostile(label="junk after", build=lambda: result_zip() + b"junk" * 9, reason=None),
    Hostile(
        label="declares 10 bytes, has a million",
        build=_with(name=b"long.bin", content=bytes(range(250)) * 4000, size=10),
        reason="longer than it says|CRC",
    ),
    Hostile(
        label="two names",
        build=_with(name=b"harmless.md", local_name=b"../../evil.md"),
        reason="another name",
    ),
    Hostile(label="bad CRC", build=_with(name=b"images/2-1.png", crc=1), reason="CRC"),
    Hostile(label="method 9", build=_with(name=b"big.bin", method=9), reason="method 9"),
    Hostile(label="NUL in a name", build=_with(name=b"full.md\0.exe"), reason="control characters"),
    Hostile(label="control in a name", build=_with(name=b"a\x1b[2Jb"), reason="control characters"),
    Hostile(label="long name", build=_with(name=b"n" * 300), reason="too long"),
    Hostile(label="device name", build=_with(name=b"images/CON.png", content=PNG), reason=None),
    Hostile(label="no name", build=_with(name=b""), reason="empty"),
    Hostile(
        label="file and folder",
        build=lambda: result_zip(Member(name=b"a"), Member(name=b"a/b")),
        reason="a file and a folder",
    ),
    Hostile(
        label="archive within",
        build=_with(name=b"inner.zip", content=real_zip({"../../evil": b"x"})),
        reason=None,
    ),
)
