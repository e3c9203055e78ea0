"""Decides what the names in an archive mean, which are refused, and what they become on disk.

Rules of the transport study, section 4.3.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from zhiyipdf.bundle.directory import Entry, refused
from zhiyipdf.policy import ArchiveLimits

__all__ = ["check_distinct", "checked_name", "decode_names", "names_on_disk"]

_UTF8_FLAG = 0x800
_DRIVE = re.compile(r"[A-Za-z]:")
# Controls, line and paragraph separators, and what turns the reading direction of a name around.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Microsoft, "Naming Files, Paths, and Namespaces".
_WINDOWS_DEVICE = re.compile(
    r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])(?=\.|$)", re.IGNORECASE
)
_WINDOWS_CHARACTERS = re.compile(r'[<>:"|?*]')
# GB 2312 level 1, the 3,755 most frequent hanzi: rows 16 to 55 (lead bytes 0xB0 to 0xD7).
_COMMON_HANZI = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")
_TWO_BYTE_SEQUENCES = re.compile(r"[\x00-\u07ff]*")
_LATIN_BESIDE_HANZI = re.compile(r"[A-Za-z][\u4e00-\u9fff]|[\u4e00-\u9fff][A-Za-z]")


def decode_names(entries: Sequence[Entry]) -> tuple[list[str], str]:
    """Decode all names of an archive.

    Names with the UTF-8 flag are what they say. The others are of one encoding, whichever fits
    all of them: UTF-8, else GB 18030 (Chinese Windows), else code page 437 (APPNOTE, appendix D).

    Returns:
        The names, and the encoding of those without the flag.

    Raises:
        UnsafeArchive: A flagged name is not UTF-8.
    """
    encoding = _encoding_of([e.raw_name for e in entries if not e.flags & _UTF8_FLAG])
    try:
        return [
            e.raw_name.decode("utf-8" if e.flags & _UTF8_FLAG else encoding) for e in entries
        ], encoding
    except UnicodeDecodeError:
        raise refused("a name is marked as UTF-8 and is not") from None


def _encoding_of(names: Sequence[bytes]) -> str:
    joined = b"/".join(names)
    if joined.isascii():
        return "utf-8"
    as_utf8, as_chinese = _decoded(joined, "utf-8"), _decoded(joined, "gb18030")
    if as_utf8 is None:
        return "cp437" if as_chinese is None else "gb18030"
    # 18 % of one-hanzi GBK names are valid UTF-8 too, and then of two-byte sequences only. They
    # are Chinese if each is a frequent character that stands as hanzi do, apart from Latin letters.
    foreign = bytes(b for b in joined if b > 0x7F)
    if (
        as_chinese is not None
        and _TWO_BYTE_SEQUENCES.fullmatch(as_utf8)
        and not _COMMON_HANZI.sub(b"", foreign)
        and not _LATIN_BESIDE_HANZI.search(as_chinese)
    ):
        return "gb18030"
    return "utf-8"


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def checked_name(name: str, limits: ArchiveLimits) -> str:
    """Give a name in the one form that is worked with: relative, ``/``, NFC, no dots.

    Raises:
        UnsafeArchive: It leads out of the archive, hides something, or is too long.
    """
    name = unicodedata.normalize("NFC", name).replace("\\", "/")
    shown = repr(name[:80])
    if name.startswith("/") or _DRIVE.match(name):
        raise refused(f"the name {shown} is absolute")
    if _FORBIDDEN.search(name):
        raise refused(f"the name {shown} holds control characters")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise refused(f"the name {shown} leads out of the archive")
    if not parts:
        raise refused("a name is empty")
    if len(parts) > limits.max_depth:
        raise refused(f"the name {shown} has more than {limits.max_depth} parts")
    checked = "/".join(parts)
    longest = max(len(part.encode()) for part in parts)
    if longest > limits.max_name_bytes or len(checked.encode()) > limits.max_path_bytes:
        raise refused(f"the name {shown} is too long")
    return checked


def check_distinct(files: Iterable[str], folders: Iterable[str]) -> None:
    """Refuse names that would meet on a disk that does not tell upper from lower case.

    Raises:
        UnsafeArchive: Two files have one name, or a file has the name of a folder.
    """
    inside = {_folded(folder) for folder in folders}
    seen: set[str] = set()
    for name in files:
        folded = _folded(name)
        if folded in seen:
            raise refused(f"the name {name[:80]!r} stands for two files")
        seen.add(folded)
        parts = folded.split("/")
        inside.update("/".join(parts[:n]) for n in range(1, len(parts)))
    both = seen & inside
    if both:
        raise refused(f"the name {min(both)[:80]!r} stands for a file and a folder")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def names_on_disk(names: Iterable[str]) -> dict[str, str]:
    """Give each name one that every system can hold; most are their own.

    Args:
        names: Checked and distinct.
    """
    names = list(names)
    taken = {_folded(name) for name in names}
    on_disk: dict[str, str] = {}
    for name in names:
        parts = [_portable(part) for part in name.split("/")]
        candidate, number = "/".join(parts), 2
        while candidate != name and _folded(candidate) in taken:
            stem, dot, suffix = parts[-1].rpartition(".")
            numbered = f"{stem}-{number}.{suffix}" if dot else f"{parts[-1]}-{number}"
            candidate, number = "/".join([*parts[:-1], numbered]), number + 1
        taken.add(_folded(candidate))
        on_disk[name] = candidate
    return on_disk


def _portable(part: str) -> str:
    part = _WINDOWS_CHARACTERS.sub("_", part)
    if _WINDOWS_DEVICE.match(part):
        part = f"_{part[1:]}"
    return part if part[-1] not in ". " else f"{part[:-1]}_"  # no longer than it was
