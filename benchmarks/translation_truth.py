"""Translations of which it is known what each block renders: ciphers, and Debian's manuals.

The cipher turns every word into one of another script and leaves pictures, code and most numbers,
as a translator does; it also merges, splits and drops blocks. The manuals are people's work: each
block's section is known from the headings' numbers, which are hidden before pairing.
"""

from __future__ import annotations

import hashlib
import random
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import Block

__all__ = [
    "HARD",
    "MILD",
    "WITHOUT_NUMBERS",
    "Ciphered",
    "Disorder",
    "ManualBlocks",
    "cipher",
    "interleave",
    "joined_pages",
    "read_manual",
]

_WIDE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_KEPT = re.compile(r"<[^<>]*>|!\[[^\]]*\]\([^)]*\)|\$[^$\n]+\$|`[^`\n]+`")
_WORD = re.compile(rf"[{_WIDE}]+|[^\W\d_{_WIDE}]+|\d+")
_IS_WIDE = re.compile(f"[{_WIDE}]")
_SENTENCE_END = re.compile(r"(?<=[.!?;:。！？；])\s*(?=\S)|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """What a translator does to the sequence, as shares of the blocks.

    Attributes:
        merged: Paragraphs that are joined with the next one.
        split: Blocks that become two paragraphs.
        dropped: Blocks that are left out.
        numbers: Share of the numbers that stay.
    """

    merged: float = 0.03
    split: float = 0.03
    dropped: float = 0.02
    numbers: float = 0.93


MILD = Disorder()
HARD = Disorder(merged=0.10, split=0.10, dropped=0.05, numbers=0.80)
WITHOUT_NUMBERS = Disorder(merged=0.06, split=0.06, dropped=0.03, numbers=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ciphered:
    """A text, its translation and the truth.

    Attributes:
        original: Blocks of the original.
        pages: Page of each of them.
        translated: Blocks of the translation, as split from its Markdown.
        truth: For each of them the originals it renders.
    """

    original: tuple[Block, ...]
    pages: tuple[int, ...]
    translated: tuple[Block, ...]
    truth: tuple[frozenset[int], ...]


def joined_pages(pages: Sequence[tuple[int, str]]) -> tuple[tuple[Block, ...], tuple[int, ...]]:
    """Join pages without marks; gives the blocks of the text and the page each begins on."""
    text, starts, numbers = "", [], []
    for number, markdown in pages:
        if markdown.strip():
            starts.append(len(text))
            numbers.append(number)
            text += markdown.strip("\n") + "\n\n"
    blocks = split_blocks(text)
    return blocks, tuple(numbers[bisect_right(starts, b.start) - 1] for b in blocks)


def cipher(
    blocks: Sequence[Block], pages: Sequence[int], disorder: Disorder, *, seed: int
) -> Ciphered:
    """Translate blocks into a language that nobody speaks."""
    chance = random.Random(seed)
    wide = sum(len(_IS_WIDE.findall(b.text)) for b in blocks)
    to_wide = wide < 0.2 * sum(len(b.text) for b in blocks)
    pieces: list[tuple[str, set[int]]] = []
    merge = False
    for index, block in enumerate(blocks):
        if chance.random() < disorder.dropped:
            continue
        text = _ciphered(block, chance, disorder.numbers, to_wide=to_wide).strip("\n")
        if merge and pieces and block.kind == "paragraph":
            last, members = pieces.pop()
            pieces.append((f"{last} {text}", members | {index}))
        else:
            halves = _halves(text) if chance.random() < disorder.split else [text]
            if block.kind not in {"paragraph", "quote", "footnote"}:
                halves = [text]
            pieces += [(half, {index}) for half in halves]
        merge = block.kind == "paragraph" and chance.random() < disorder.merged
    return _assembled(blocks, pages, pieces)


def interleave(made: Ciphered, *, within: bool = False, first: bool = True) -> Ciphered:
    """Make a bilingual text of a translation: each original block beside what renders it.

    Args:
        made: By :func:`cipher`.
        within: Paragraphs stand in one block, line below line.
        first: The original comes before its translation.
    """
    renders: dict[int, list[int]] = {}
    for index, members in enumerate(made.truth):
        if members:
            renders.setdefault(max(members), []).append(index)
    pieces: list[tuple[str, set[int]]] = []
    for index, block in enumerate(made.original):
        own = block.text.strip("\n")
        others = [
            (made.translated[t].text.strip("\n"), set(made.truth[t]))
            for t in renders.get(index, [])
        ]
        if [text for text, _ in others] == [own]:
            pieces.append((own, {index}))
        elif within and block.kind == "paragraph" and len(others) == 1 and "\n" not in own:
            lines = [own, others[0][0]]
            pieces.append(("\n".join(lines if first else lines[::-1]), {index} | others[0][1]))
        else:
            pair = [(own, {index}), *others]
            pieces += pair if first else [*others, (own, {index})]
    return _assembled(made.original, made.pages, pieces)


def _assembled(
    blocks: Sequence[Block], pages: Sequence[int], pieces: Iterable[tuple[str, set[int]]]
) -> Ciphered:
    text, starts, members = "", [], []
    for piece, renders in pieces:
        starts.append(len(text))
        members.append(renders)
        text += piece.strip("\n") + "\n\n"
    translated = split_blocks(text)
    truth = []
    for block in translated:
        begin = bisect_right(starts, block.start) - 1
        end = bisect_right(starts, block.end - 1)
        truth.append(frozenset().union(*members[begin:end]))
    return Ciphered(
        original=tuple(blocks), pages=tuple(pages), translated=translated, truth=tuple(truth)
    )


def _ciphered(block: Block, chance: random.Random, numbers: float, *, to_wide: bool) -> str:
    if block.kind in {"code", "formula", "comment"}:
        return block.text
    said: list[str] = []
    at = 0
    for kept in [*_KEPT.finditer(block.text), None]:
        end = len(block.text) if kept is None else kept.start()
        said.append(_WORD.sub(lambda m: _word(m[0], chance, numbers, to_wide), block.text[at:end]))
        if kept is not None:
            said.append(kept[0])
            at = kept.end()
    return "".join(said)


def _word(word: str, chance: random.Random, numbers: float, to_wide: bool) -> str:
    if word.isdigit():
        return word if chance.random() < numbers else str(chance.randrange(10 ** len(word)))
    digest = hashlib.sha256(word.casefold().encode()).digest()
    if to_wide:
        return "".join(
            chr(0x4E00 + 40 * digest[k] + digest[k + 9]) for k in range(len(word) // 3 + 1)
        )
    step = 2 if _IS_WIDE.match(word) else len(word)
    parts = [word[k : k + step] for k in range(0, len(word), step)]
    return " ".join(_syllables(part) for part in parts)


def _syllables(word: str) -> str:
    digest = hashlib.sha256(word.encode()).digest()
    return "".join("кмтрнслв"[b % 8] + "аиоуеы"[b // 8 % 6] for b in digest[: digest[9] % 4 + 1])


def _halves(text: str) -> list[str]:
    """Split near the middle, where a sentence or a word ends."""
    cuts = [m.start() for m in _SENTENCE_END.finditer(text) if 0 < m.start() < len(text) - 2]
    if not cuts:
        return [text]
    middle = min(cuts, key=lambda cut: abs(cut - len(text) / 2))
    return [text[:middle], text[middle:].lstrip()]


# -- manuals ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualBlocks:
    """A manual in one language.

    Attributes:
        blocks: Of its Markdown, without the headings' numbers.
        sections: Number of the section each stands in, such as ``2.3``.
    """

    blocks: tuple[Block, ...]
    sections: tuple[str, ...]

    def same_places(self, other: ManualBlocks) -> dict[int, int]:
        """Give for blocks of another language the own block at the same place of the section.

        Sections whose kinds of blocks differ are left out: there nobody knows.
        """
        mine, theirs = self._by_section(), other._by_section()
        return {
            at: row
            for section in mine.keys() & theirs.keys()
            if [self.blocks[row].kind for row in mine[section]]
            == [other.blocks[at].kind for at in theirs[section]]
            for row, at in zip(mine[section], theirs[section], strict=True)
        }

    def _by_section(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for at, section in enumerate(self.sections):
            found.setdefault(section, []).append(at)
        return found


_NUMBER = re.compile(
    r"\s*(?:chapter|kapitel|chapitre|глава|第|appendix|anhang|приложение|附录|附錄|付録)?\s*"
    r"((?:\d+|[A-Z])(?:\.\d+)*)\.?\s*(?:章)?\.?\s+",
    re.IGNORECASE,
)
_SKIPPED = {"script", "style", "nav", "title"}


class _MarkdownWriter(HTMLParser):
    """Writes the few elements that manuals consist of."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[tuple[str, str]] = []
        self.section = ""
        self._text: list[str] = []
        self._prefix = ""
        self._pre = self._skip = 0
        self._rows: list[list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs).get("class") or ""
        if (
            self._skip
            or tag in _SKIPPED
            or re.search(r"sphinxsidebar|related|footer|toc|nav", names)
        ):
            self._skip += tag not in {"br", "img", "link", "meta", "hr", "input", "col"}
            return
        if re.fullmatch(r"h[1-6]|p|pre|li|dt|dd|table|ul|ol|dl|div|blockquote", tag):
            if tag != "p" or self._prefix != "- " or self._text:
                self.flush()
            self._prefix = {"li": "- "}.get(tag, self._prefix if tag == "p" else "")
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self._prefix = "#" * int(tag[1]) + " "
        self._pre += tag == "pre"
        if tag in {"code", "tt"} and not self._pre:
            self._text.append("`")

    def handle_endtag(self, tag: str) -> None:
        if self._skip:
            self._skip -= 1
            return
        if tag in {"code", "tt"} and not self._pre:
            self._text.append("`")
        if re.fullmatch(r"h[1-6]|p|pre|li|dt|dd|table|ul|ol|dl|div|tr|td|th", tag):
            self.flush()
        self._pre -= tag == "pre"

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self._text.append(data)

    def flush(self) -> None:
        """End the block that is being read."""
        text = "".join(self._text)
        self._text = []
        if self._pre:
            text = text.strip("\n")
            if text.strip():
                self.pieces.append((self.section, f"```\n{text}\n```"))
            return
        text = " ".join(text.replace("¶", "").split())
        if not text:
            return
        if self._prefix.startswith("#"):
            number = _NUMBER.match(text)
            if number is not None:
                self.section = number[1]
                text = text[number.end() :] or text
        self.pieces.append((self.section, self._prefix + text))
        self._prefix = ""


def read_manual(files: Iterable[Path]) -> ManualBlocks:
    """Read the HTML pages of a manual in the order of its chapters."""
    pieces: list[tuple[str, str]] = []
    for file in files:
        writer = _MarkdownWriter()
        writer.section = f"before {file.name.split('.')[0]}"
        writer.feed(file.read_text("utf-8"))
        writer.flush()
        pieces += writer.pieces
    text, starts, names = "", [], []
    for section, piece in pieces:
        starts.append(len(text))
        names.append(section)
        text += piece + "\n\n"
    blocks = split_blocks(text)
    return ManualBlocks(
        blocks=blocks, sections=tuple(names[bisect_right(starts, b.start) - 1] for b in blocks)
    )
