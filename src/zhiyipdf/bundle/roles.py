"""Decides which Markdown file of an archive is which variant, whatever the files are called.

No listing of a translated archive is public; the words are those of the vendor's own picker and
their Chinese counterparts (wire notes, 3.2 and 3.3).
"""

from __future__ import annotations

import logging
import posixpath
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zhiyipdf.models import VARIANTS, Variant

__all__ = ["Roles", "assign_roles", "common_folder", "is_ignored", "is_markdown"]

_logger = logging.getLogger(__name__)

_BILINGUAL = re.compile(r"bilingual|(?<![a-z])dual(?![a-z])|双语|雙語|对照|對照")
_TRANSLATED = re.compile(r"translated|translation|(?<![a-z])trans(?![a-z])|译文|翻译|譯文|翻譯")
_ORIGINAL = re.compile(r"original|(?<![a-z])orig(?![a-z])|原文")
_SIDE = re.compile(
    r"(?<![a-z])(?:outline|summary|verification|enrichment|readme|tables?_)|大纲|大綱|摘要|总结|總結"
)
_MAIN_NAMES = ("full", "output", "result")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_WORD = re.compile(r"[\W_]+")
_FIRST_WIDE = "\u2e80"  # where Chinese, Japanese and Korean begin: no blanks between words


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which file is what.

    Attributes:
        markdown: The file of each variant that was found.
        sidecars: The other Markdown files.
    """

    markdown: Mapping[Variant, str]
    sidecars: tuple[str, ...]


def is_ignored(name: str) -> bool:
    """Whether a file is what an operating system leaves behind: ``__MACOSX``, dotfiles."""
    return any(part == "__MACOSX" or part.startswith(".") for part in name.split("/"))


def is_markdown(name: str) -> bool:
    """Whether a name says that the file is Markdown."""
    return name.lower().endswith((".md", ".markdown"))


def common_folder(names: Sequence[str]) -> str:
    """Give the folder that all files are in: "" or a path that ends with a slash."""
    folders = {posixpath.dirname(name) for name in names}
    shared = posixpath.commonpath(folders) if folders and "" not in folders else ""
    return f"{shared}/" if shared else ""


def assign_roles(sizes: Mapping[str, int], *, requested: tuple[Variant, ...], stem: str) -> Roles:
    """Decide which Markdown file is which variant.

    A single file has the role that was asked for. Of several, words in the path decide, unless
    they belong to the name of the uploaded PDF; a file without such a word is the original. Side
    files (outline, summary and the like) are never taken for the text.

    Args:
        sizes: Size of each Markdown file by its path below the common folder.
        requested: The variants that were asked for.
        stem: Name of the uploaded PDF without suffix.

    Returns:
        At most one file for each requested variant; a variant that is not there is left out.
    """
    if len(sizes) == 1 and requested:
        return Roles(markdown={requested[0]: next(iter(sizes))}, sidecars=())
    folded_stem = _folded(stem)
    markdown = _assign(sizes, requested, folded_stem)
    if len(markdown) < len(requested):
        # The name may be all that tells: "translated.md" of an upload called "translated".
        by_words_alone = _assign(sizes, requested, "")
        if len(by_words_alone) > len(markdown):
            markdown = by_words_alone
    used = set(markdown.values())
    return Roles(markdown=markdown, sidecars=tuple(name for name in sizes if name not in used))


def _assign(
    sizes: Mapping[str, int], requested: tuple[Variant, ...], stem: str
) -> dict[Variant, str]:
    words = {name: _words(name, stem) for name in sizes}
    texts = [name for name in sizes if not _SIDE.search("/".join(words[name]))]
    texts.sort(key=lambda name: _rank(name, sizes[name], words[name], stem))
    roles = {name: _role(words[name]) for name in texts}
    found: dict[Variant, str] = {}
    for variant in VARIANTS:
        named = next((name for name in texts if roles[name] == variant), None)
        if named is not None and variant in requested:
            found[variant] = named
    unnamed = [name for name in texts if roles[name] is None]
    if "original" in requested and "original" not in found and unnamed:
        found["original"] = unnamed.pop(0)
    missing = [variant for variant in requested if variant not in found]
    # What nothing else can be: the only text left, or the main one if no more was asked for.
    if len(missing) == 1 and unnamed and (len(unnamed) == 1 or len(requested) == 1):
        _logger.info("%s is taken for the %s text: nothing says so", unnamed[0], missing[0])
        found[missing[0]] = unnamed[0]
    return found


def _role(words: Sequence[str]) -> Variant | None:
    """Tell the variant by the words of a path; the file's own name first, then its folders."""
    for part in reversed(words):
        translated, original = _TRANSLATED.search(part), _ORIGINAL.search(part)
        if _BILINGUAL.search(part) or (translated and original):
            return "bilingual"
        if translated:
            return "translated"
        if original:
            return "original"
    return None


def _rank(name: str, size: int, words: Sequence[str], stem: str) -> tuple[int, int, str]:
    """Order candidates for one role: the upload's own name, usual main names, then the largest."""
    own = _folded(_without_suffix(posixpath.basename(name)))
    if stem and (own == stem or not words[-1]):
        first = 0
    elif own in _MAIN_NAMES or words[-1] in _MAIN_NAMES:
        first = 1 + (_MAIN_NAMES.index(own) if own in _MAIN_NAMES else 0)
    else:
        first = 1 + len(_MAIN_NAMES)
    return first, -size, name


def _words(name: str, stem: str) -> tuple[str, ...]:
    """Give the parts of a path, ready to look for words in, without the upload's own name."""
    parts = _without_suffix(name).split("/")
    return tuple(_without_stem(_folded(part), stem) for part in parts)


def _without_suffix(name: str) -> str:
    return name.rpartition(".")[0]


def _folded(text: str) -> str:
    text = _CAMEL.sub("_", unicodedata.normalize("NFKC", text)).casefold()
    return _NO_WORD.sub("_", text).strip("_")


def _without_stem(part: str, stem: str) -> str:
    """Take the upload's name out of a part of a path, where it stands as a whole."""
    at = part.find(stem) if stem else -1
    while at >= 0:
        end = at + len(stem)
        if _is_boundary(part[:at], stem) and _is_boundary(stem, part[end:]):
            return f"{part[:at]}{part[end:]}".strip("_")
        at = part.find(stem, at + 1)
    return part


def _is_boundary(left: str, right: str) -> bool:
    """Whether a word may end between two texts."""
    if not left or not right:
        return True
    before, after = left[-1], right[0]
    wide = before >= _FIRST_WIDE or after >= _FIRST_WIDE
    return wide or not (before.isalnum() and after.isalnum())
