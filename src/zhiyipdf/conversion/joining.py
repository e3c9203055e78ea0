"""Joins the results of a PDF's parts: one text, true page numbers, every picture under one name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from zhiyipdf.grounding import ground
from zhiyipdf.images import (
    apply_edits,
    follow_edits,
    image_edits,
    image_references,
    open_fence,
)
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import VARIANTS, Asset, Block, Bundle, Provenance, Variant

__all__ = ["Joined", "PartResult", "join"]

# As grounding/picture_names.py reads them: folder, page, the rest.
_PAGE_NAME = re.compile(
    r"(?P<folder>(?:.*[/\\])?)(?P<page>\d{1,4})(?P<rest>-\d{1,4}\.[A-Za-z]+)", re.DOTALL
)
_NO_HEADING = 7
_BASE_NAME = re.compile(r"(?P<folder>(?:.*[/\\])?)(?P<base>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """What came back for one part.

    Attributes:
        numbers: The true numbers of its pages, rising: what the service calls page 1 is the first.
        bundle: The unpacked result.
        blocks: By variant its text in blocks, with the service's page numbers. What is missing is
            split and placed by its own marks.
    """

    numbers: tuple[int, ...]
    bundle: Bundle
    blocks: Mapping[Variant, tuple[Block, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """One result of several.

    Attributes:
        markdown: Text by variant.
        blocks: The same text in blocks, with pages of the PDF; their spans cover it.
        assets: Pictures and other files; no two have the same name, whatever the case of letters.
        missing: References that no file answers to.
        sidecars: Text files beside the Markdown.
    """

    markdown: Mapping[Variant, str]
    blocks: Mapping[Variant, tuple[Block, ...]]
    assets: tuple[Asset, ...]
    missing: tuple[str, ...]
    sidecars: Mapping[str, str]


def join(parts: Sequence[PartResult], *, whole: bool = False) -> Joined:
    """Make one result of the parts' results.

    Blank lines part the texts. Pictures named after their page get the true page's number, as in
    ``images/801-2.png``; others, and text files, the number of the part's first page in front:
    ``images/p801-logo.png``. Code that a part leaves open is closed. Labels of footnotes and
    numbers in page marks stay as the service wrote them.

    Args:
        parts: At least one, in the order of their pages.
        whole: There is one part, and it is the entire PDF: nothing is renamed.
    """
    renames = [{} for _ in parts] if whole else _renames(parts)
    present = [v for v in VARIANTS if any(v in part.bundle.markdown for part in parts)]
    markdown: dict[Variant, str] = {}
    blocks: dict[Variant, tuple[Block, ...]] = {}
    originals = _places_of_originals(parts)
    for variant in present:
        pieces = [
            _piece(part, variant, names, pairs)
            for part, names, pairs in zip(parts, renames, originals, strict=True)
        ]
        markdown[variant], blocks[variant] = _concatenated(pieces)
    assets = [
        replace(asset, name=names.get(asset.name, asset.name))
        for part, names in zip(parts, renames, strict=True)
        for asset in part.bundle.assets
    ]
    missing = [
        names.get(target, target)
        for part, names in zip(parts, renames, strict=True)
        for target in part.bundle.missing
    ]
    return Joined(
        markdown=markdown,
        blocks=blocks,
        assets=tuple(assets),
        missing=tuple(dict.fromkeys(missing)),
        sidecars=_sidecars(parts, whole=whole),
    )


# -- names -----------------------------------------------------------------------------------------


def _renames(parts: Sequence[PartResult]) -> list[dict[str, str]]:
    """Give the new name of each file and missing target, for each part."""
    renames: list[dict[str, str]] = [{} for _ in parts]
    taken: set[str] = set()
    for part, names in zip(parts, renames, strict=True):
        for asset in part.bundle.assets:
            plain = _of_true_page(asset.name, part.numbers)
            names[asset.name] = _free(plain, asset.name, part.numbers[0], taken)
    # After the files: a target without one must not come to show another part's picture.
    for part, names in zip(parts, renames, strict=True):
        for target in part.bundle.missing:
            plain = _of_true_page(target, part.numbers) or target
            names[target] = _free(plain, target, part.numbers[0], taken)
    return renames


def _of_true_page(name: str, numbers: Sequence[int]) -> str | None:
    """Put the true page into a name like ``images/1-2.png``; None if it is no such name."""
    match = _PAGE_NAME.fullmatch(name)
    page = int(match["page"]) if match is not None else 0
    if match is None or not 1 <= page <= len(numbers):
        return None
    return f"{match['folder']}{numbers[page - 1]}{match['rest']}"


def _free(plain: str | None, name: str, first_page: int, taken: set[str]) -> str:
    """Give the plain name if no other has it, else one with the part's first page in front."""
    candidates = _candidates(plain, name, first_page)
    free = next(candidate for candidate in candidates if candidate.casefold() not in taken)
    taken.add(free.casefold())
    return free


def _candidates(plain: str | None, name: str, first_page: int) -> Iterator[str]:
    if plain is not None:
        yield plain
    match = _BASE_NAME.fullmatch(name)
    folder, base = (match["folder"], match["base"]) if match is not None else ("", name)
    yield f"{folder}p{first_page}-{base}"
    count = 2
    while True:
        yield f"{folder}p{first_page}-{count}-{base}"
        count += 1


def _sidecars(parts: Sequence[PartResult], *, whole: bool) -> dict[str, str]:
    if whole:
        return dict(parts[0].bundle.sidecars)
    taken: set[str] = set()
    return {
        _free(None, name, part.numbers[0], taken): text
        for part in parts
        for name, text in part.bundle.sidecars.items()
    }


# -- texts -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Piece:
    """One part's text with its final names.

    Attributes:
        text: Markdown.
        blocks: The same, with true pages.
        headings: Level and title of those that are open at its end, outermost first.
        highest: The lowest level of all its headings; 7 if it has none.
    """

    text: str
    blocks: tuple[Block, ...]
    headings: tuple[tuple[int, str], ...]
    highest: int


def _places_of_originals(parts: Sequence[PartResult]) -> list[dict[int, int]]:
    """Give for each part where the blocks of its original stand in the joined original."""
    places: list[dict[int, int]] = []
    count = 0
    for part in parts:
        own = part.blocks.get("original", ())
        full = [i for i, block in enumerate(own) if block.start < block.end]
        places.append({i: count + place for place, i in enumerate(full)})
        count += len(full)
    return places


def _piece(
    part: PartResult, variant: Variant, names: Mapping[str, str], pairs: Mapping[int, int]
) -> _Piece:
    """Give the pages, pictures and originals of a part's blocks their true numbers and names."""
    text = part.bundle.markdown.get(variant, "")
    blocks = part.blocks.get(variant)
    if blocks is None:
        blocks = ground(text, split_blocks(text), len(part.numbers))
    edits = tuple(image_edits(text, names.get, inline=True)) if names else ()
    edited = apply_edits(text, edits)
    moved = follow_edits(edits)
    placed: list[Block] = []
    for block in blocks:
        start, end = moved(block.start), moved(block.end)
        if start < end:
            placed.append(
                replace(
                    block,
                    start=start,
                    end=end,
                    text=edited[start:end],
                    images=tuple(names.get(target, target) for target in block.images),
                    provenance=tuple(_true(found, part.numbers) for found in block.provenance),
                    pair=None if block.pair is None else pairs.get(block.pair),
                )
            )
    highest = min((block.level for block in blocks if block.level), default=_NO_HEADING)
    return _Piece(edited, tuple(placed), _open_headings(blocks), highest)


def _true(found: Provenance, numbers: Sequence[int]) -> Provenance:
    return replace(found, page_number=numbers[found.page_number - 1])


def _concatenated(pieces: Sequence[_Piece]) -> tuple[str, tuple[Block, ...]]:
    """Join texts with blank lines, which belong to the block before them."""
    full = [piece for piece in pieces if piece.blocks]
    wanted = [r.target for piece in full for r in image_references(piece.text)]
    closings = [open_fence(piece.text) for piece in full]
    text = _joined([piece.text for piece in full], closings)
    if len(full) > 1 and [r.target for r in image_references(text)] != wanted:
        # A comment that one part opens must not swallow the next one's pictures.
        closings = [
            closing or _open_comment(piece.text)
            for piece, closing in zip(full, closings, strict=True)
        ]
        text = _joined([piece.text for piece in full], closings)
    blocks: list[Block] = []
    above: list[tuple[int, str]] = []
    at = 0
    for number, piece in enumerate(full):
        last = number == len(full) - 1
        tail = "" if last else _gap(piece.text, closings[number])
        shifted = [replace(b, start=b.start + at, end=b.end + at) for b in _below(piece, above)]
        end = shifted[-1]
        shifted[-1] = replace(end, end=end.end + len(tail), text=end.text + tail)
        blocks += shifted
        above = [(level, title) for level, title in above if level < piece.highest]
        above += piece.headings
        at += len(piece.text) + len(tail)
    return text, tuple(blocks)


def _joined(texts: Sequence[str], closings: Sequence[str]) -> str:
    pieces = [t + _gap(t, c) for t, c in zip(texts[:-1], closings[:-1], strict=True)]
    return "".join((*pieces, *texts[-1:]))


def _gap(text: str, closing: str) -> str:
    """What comes between a text and the next, so that a blank line parts them."""
    if closing:
        return f"{'' if text.endswith(chr(10)) else chr(10)}{closing}\n\n"
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if lines.endswith("\n\n"):
        return ""
    return "\n" if lines.endswith("\n") else "\n\n"


def _open_comment(text: str) -> str:
    return "-->" if text.rfind("<!--") > text.rfind("-->") else ""


# -- headings --------------------------------------------------------------------------------------


def _below(piece: _Piece, above: Sequence[tuple[int, str]]) -> Iterator[Block]:
    """Put the headings that are open at the end of the parts before over a part's blocks."""
    highest = _NO_HEADING
    for block in piece.blocks:
        if block.level:
            highest = min(highest, block.level)
        carried = tuple(title for level, title in above if level < highest)
        yield replace(block, section=(*carried, *block.section)) if carried else block


def _open_headings(blocks: Sequence[Block]) -> tuple[tuple[int, str], ...]:
    """Give level and title of the headings that are open after some blocks, outermost first.

    Args:
        blocks: As split, at the beginning of a text.
    """
    if not blocks:
        return ()
    levels: list[int] = []
    for block in blocks:
        if block.level:
            while levels and levels[-1] >= block.level:
                levels.pop()
            levels.append(block.level)
    last = blocks[-1]
    titles = (*last.section, _title(last)) if last.level else last.section
    return tuple(zip(levels, titles, strict=True))


def _title(heading: Block) -> str:
    """Read a heading as the block splitter does."""
    section = split_blocks(f"{heading.text.strip()}\n\n.\n")[-1].section
    return section[-1] if section else ""
