"""Writes a conversion and pictures of its PDF's pages as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from zhiyipdf.models import Asset, Block, Conversion, Variant
from zhiyipdf.preview.allowance import MOST_PICTURE_BYTES, left_out
from zhiyipdf.preview.pictures import PagePicture
from zhiyipdf.preview.rendering import BlockRenderer
from zhiyipdf.preview.shown import ShownBlock, article, boxes, points
from zhiyipdf.preview.standing import (
    GRADES,
    Grade,
    count_grades,
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
        self._variants: dict[Variant, tuple[ShownBlock, ...]] = {}
        self.blocks_left_out = 0
        for variant in wanted:
            stem = variant if self._variants else "block"
            shown = tuple(
                ShownBlock(id=f"{stem}-{number}", number=number, block=block)
                for number, block in _up_to(present[variant], last)
            )
            self._variants[variant] = shown
            self.blocks_left_out += len(present[variant]) - len(shown)
        self._pictures = {asset.name: asset for asset in conversion.assets if asset.is_image}
        self._pictures_left_out = left_out(
            {name: asset.size_bytes for name, asset in self._pictures.items()},
            Counter(t for block in self.blocks for t in block.images if t in self._pictures),
            MOST_PICTURE_BYTES,
        )

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
            said.append(f"The first {len(self.page_numbers):,} of {self._total:,} pages; {left}")
        if self._pictures_left_out:
            large = len(self._pictures_left_out)
            pictures = "1 large picture" if large == 1 else f"{large} large pictures"
            verb = "is" if large == 1 else "are"
            said.append(f"{pictures} of the Markdown {verb} left out to keep this file small.")
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
        view = f"0 0 {points(picture.width)} {points(picture.height)}"
        if picture.png is None:
            shown = f'<svg class="blank" {size} viewBox="{view}" aria-hidden="true"></svg>'
            caption = f"Page {number} cannot be drawn"
        else:
            encoded = base64.b64encode(picture.png).decode("ascii")
            source = f"data:image/png;base64,{encoded}"
            shown = f'<img {size} decoding="async" alt="Page {number}" src="{source}">'
            caption = f"{number}" if picture.label == str(number) else f"{label} ({number})"
        layers = "".join(
            f'<g data-variant="{variant}">{"".join(boxes(blocks, number))}</g>'
            for variant, blocks in self._variants.items()
        )
        return (
            f'<figure class="page" id="page-{number}"><div class="sheet">{shown}'
            f'<svg class="boxes" viewBox="{view}" aria-hidden="true">{layers}</svg></div>'
            f"<figcaption>{caption}</figcaption></figure>\n"
        )

    def _text(self) -> Iterator[str]:
        options = self._conversion.options

        def picture(target: str) -> str | None:
            asset = self._pictures.get(target)
            try:
                content = None if asset is None else self._read_asset(asset)
            except FileNotFoundError:
                return None
            if asset is None or content is None:
                return None
            return f"data:{asset.media_type};base64,{base64.b64encode(content).decode('ascii')}"

        for variant, blocks in self._variants.items():
            renderer = BlockRenderer(
                self._conversion.markdown[variant], picture, left_out=self._pictures_left_out
            )
            language = options.translate_to if variant == "translated" else None
            yield f'<div class="variant" data-variant="{variant}" lang="{language or ""}">\n'
            for shown in blocks:
                yield article(shown, renderer.render(shown.block))
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
