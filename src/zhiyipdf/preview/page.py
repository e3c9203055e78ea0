"""Writes a conversion and pictures of its PDF's pages as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from zhiyipdf.models import Asset, Block, Conversion, Provenance, Variant
from zhiyipdf.preview.pictures import PagePicture
from zhiyipdf.preview.rendering import BlockRenderer
from zhiyipdf.preview.standing import (
    GRADES,
    Grade,
    count_grades,
    described,
    grade_of,
    mark_of,
    pages_of,
)

__all__ = ["PreviewPage"]

_SLOT = re.compile(r"\{\{(\w+)\}\}")

_LEGEND: Mapping[Grade, tuple[str, str]] = {
    "exact": ("exact", "The page is known for certain"),
    "sure": ("0.9 and up", "Probability of 0.9 or more that the page is right"),
    "about": ("0.6 to 0.9", "Probability between 0.6 and 0.9 that the page is right"),
    "doubtful": ("below 0.6", "Probability below 0.6 that the page is right"),
    "none": ("no page", "Nothing tells the page"),
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """A block that is on the page.

    Attributes:
        id: Of its element.
        number: Its index among the blocks of its variant.
        block: The block.
    """

    id: str
    number: int
    block: Block


class PreviewPage:
    """A page that shows a conversion beside its PDF.

    Blocks have the ids ``block-0``, ``block-1``, …, by their index in the first variant's blocks;
    those of a further variant are called after it: ``bilingual-0``. With such an id as its
    fragment, the page opens with that block selected.

    Args:
        conversion: What to show: the variants that its options ask for.
        numbers: The 1-based pages that were converted, rising.
        read_asset: Gives the bytes of a picture of the conversion; FileNotFoundError where it is
            not kept any more.
        most_pages: How many pages are shown, from the first on; None for all. Blocks that begin
            on a later page are left out.
    """

    def __init__(
        self,
        conversion: Conversion,
        numbers: Sequence[int],
        *,
        read_asset: Callable[[Asset], bytes],
        most_pages: int | None = None,
    ) -> None:
        self._conversion = conversion
        self._total = len(numbers)
        self._read_asset = read_asset
        self.page_numbers = tuple(numbers[:most_pages])
        last = self.page_numbers[-1] if len(self.page_numbers) < self._total else None
        present = conversion.blocks_by_variant
        wanted = [v for v in conversion.options.variants if v in present] or list(present)
        self._variants: dict[Variant, tuple[_Shown, ...]] = {}
        self.blocks_left_out = 0
        for variant in wanted:
            stem = variant if self._variants else "block"
            shown = tuple(
                _Shown(id=f"{stem}-{number}", number=number, block=block)
                for number, block in _up_to(present[variant], last)
            )
            self._variants[variant] = shown
            self.blocks_left_out += len(present[variant]) - len(shown)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block that is shown, variant after variant."""
        return tuple(shown.block for blocks in self._variants.values() for shown in blocks)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a reader should know before trusting the page, in sentences."""
        said = []
        if len(self.page_numbers) < self._total:
            left = (
                f"{self.blocks_left_out:,} blocks of later pages are left out."
                if self.blocks_left_out
                else "the Markdown of all of them."
            )
            said.append(f"The first {len(self.page_numbers)} of {self._total} pages; {left}")
        if not any(pages_of(block) for block in self.blocks):
            said.append("No block's page is known.")
        elif all(place.bbox is None for block in self.blocks for place in block.provenance):
            said.append("No block's place on its page is known: it marks the whole page.")
        return tuple(said)

    def pieces(self, pictures: Iterable[PagePicture]) -> Iterator[str]:
        """Write the page, in pieces so that no more than one picture is in memory.

        Args:
            pictures: Of :attr:`page_numbers`, in order; taken one by one.
        """
        script, style = _resource("page.js"), _resource("page.css")
        slots: dict[str, Callable[[], Iterable[str]]] = {
            "title": lambda: [html.escape(self._title)],
            "policy": lambda: [_policy(style=style, script=script)],
            "style": lambda: [style],
            "script": lambda: [script],
            "facts": lambda: [html.escape(self._facts)],
            "legend": self._legend,
            "variants": self._variant_buttons,
            "notices": self._notices,
            "pages": lambda: map(self._figure, pictures),
            "text": self._text,
        }
        at = 0
        frame = _resource("page.html")
        for slot in _SLOT.finditer(frame):
            yield frame[at : slot.start()]
            yield from slots[slot[1]]()
            at = slot.end()
        yield frame[at:]

    @property
    def _title(self) -> str:
        source = self._conversion.source
        return source.properties.title or source.name

    @property
    def _facts(self) -> str:
        source, options = self._conversion.source, self._conversion.options
        pages = "1 page" if self._total == 1 else f"{self._total:,} pages"
        blocks = "1 block" if len(self.blocks) == 1 else f"{len(self.blocks):,} blocks"
        facts = [source.name] if source.properties.title else []
        if options.pages is not None:
            pages = f"pages {options.pages} of {source.total_pages:,}"
        facts += [pages, blocks]
        if options.translate_to is not None:
            facts.append(f"translated to {options.translate_to}")
        return " · ".join(facts)

    def _notices(self) -> Iterator[str]:
        if self.notices:
            said = "".join(f"<p>{html.escape(notice)}</p>" for notice in self.notices)
            yield f'<div class="notices" role="note">{said}</div>'

    def _legend(self) -> Iterator[str]:
        counted = count_grades(self.blocks)
        for grade in GRADES:
            name, meaning = _LEGEND[grade]
            unused = "" if counted[grade] else " unused"
            yield (
                f'<li class="{grade}{unused}" title="{meaning}">{name} '
                f"<b>{counted[grade]:,}</b></li>"
            )

    def _variant_buttons(self) -> Iterator[str]:
        if len(self._variants) < 2:
            return
        for index, variant in enumerate(self._variants):
            pressed = "false" if index else "true"
            yield (
                f'<button type="button" data-variant="{variant}" aria-pressed="{pressed}">'
                f"{variant}</button>"
            )

    def _figure(self, picture: PagePicture) -> str:
        number, label = picture.number, html.escape(picture.label)
        # A point is 4/3 of a CSS pixel, so a page is never shown larger than it is.
        size = f'width="{picture.width * 4 / 3:.0f}" height="{picture.height * 4 / 3:.0f}"'
        view = f"0 0 {_points(picture.width)} {_points(picture.height)}"
        if picture.png is None:
            shown = f'<svg class="blank" {size} viewBox="{view}" aria-hidden="true"></svg>'
            caption = f"Page {number} cannot be drawn"
        else:
            encoded = base64.b64encode(picture.png).decode("ascii")
            shown = f'<img {size} alt="Page {number}" src="data:image/png;base64,{encoded}">'
            caption = f"{number}" if picture.label == str(number) else f"{label} ({number})"
        layers = "".join(
            f'<g data-variant="{variant}">{"".join(_boxes(blocks, number))}</g>'
            for variant, blocks in self._variants.items()
        )
        return (
            f'<figure class="page" id="page-{number}"><div class="sheet">{shown}'
            f'<svg class="boxes" viewBox="{view}" aria-hidden="true">{layers}</svg></div>'
            f"<figcaption>{caption}</figcaption></figure>\n"
        )

    def _text(self) -> Iterator[str]:
        options = self._conversion.options
        pictures = {asset.name: asset for asset in self._conversion.assets if asset.is_image}

        def picture(target: str) -> str | None:
            asset = pictures.get(target)
            try:
                content = None if asset is None else self._read_asset(asset)
            except FileNotFoundError:
                return None
            if asset is None or content is None:
                return None
            return f"data:{asset.media_type};base64,{base64.b64encode(content).decode('ascii')}"

        for variant, blocks in self._variants.items():
            renderer = BlockRenderer(self._conversion.markdown[variant], picture)
            language = options.translate_to if variant == "translated" else None
            yield f'<div class="variant" data-variant="{variant}" lang="{language or ""}">\n'
            for shown in blocks:
                yield _article(shown, renderer.render(shown.block))
            yield "</div>\n"


def _up_to(blocks: Sequence[Block], last: int | None) -> Iterator[tuple[int, Block]]:
    """Leave out blocks that begin after a page; one without a page goes with that before it."""
    beyond = False
    for number, block in enumerate(blocks):
        pages = pages_of(block)
        if pages and last is not None:
            beyond = pages[0] > last
        if not beyond:
            yield number, block


def _article(shown: _Shown, content: str) -> str:
    block = shown.block
    grade = grade_of(block.provenance[0] if block.provenance else None)
    pages = " ".join(map(str, pages_of(block)))
    label = html.escape(described(block, shown.number))
    return (
        f'<article class="block {grade} kind-{block.kind}" id="{shown.id}" data-pages="{pages}" '
        f'data-grade="{grade}">'
        f'<a class="where" href="#{shown.id}" title="{label}">{mark_of(block)}</a>'
        f'<p class="label">{label}</p>'
        f'<div class="content" dir="auto">{content}</div></article>\n'
    )


def _boxes(blocks: Sequence[_Shown], page_number: int) -> Iterator[str]:
    """Draw the boxes of a page, in points: large ones first, so that none hides a smaller one."""
    found = [
        _box(shown.id, place, *place.bbox)
        for shown in blocks
        for place in shown.block.provenance
        if place.page_number == page_number and place.bbox is not None
    ]
    found.sort(key=lambda box: -box[0])
    yield from (drawn for _, drawn in found)


def _box(
    block_id: str, place: Provenance, x0: float, y0: float, x1: float, y1: float
) -> tuple[float, str]:
    width, height = max(x1 - x0, 0.0), max(y1 - y0, 0.0)
    return width * height, (
        f'<rect class="box {grade_of(place)}" data-block="{block_id}" x="{_points(x0)}" '
        f'y="{_points(y0)}" width="{_points(width)}" height="{_points(height)}" rx="1.5"/>'
    )


def _points(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


@cache
def _resource(name: str) -> str:
    return files("zhiyipdf.preview").joinpath("static", name).read_text(encoding="utf-8")


def _policy(*, style: str, script: str) -> str:
    """The page's Content-Security-Policy: its own style and script, ``data:`` pictures, no more."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
