"""Makes records of a conversion by mode: text, metadata, pictures, and ids that stay."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal
from uuid import UUID, uuid5

from zhiyipdf.documents.metadata import MetadataStyle, MetadataValue, MetadataWriter
from zhiyipdf.documents.page_starts import runs_of
from zhiyipdf.documents.paging import Place, place_of
from zhiyipdf.documents.pieces import Piece, cut
from zhiyipdf.images import (
    Edit,
    apply_edits,
    follow_edits,
    image_edits,
    image_references,
    image_removals,
)
from zhiyipdf.models import Asset, Block, Conversion, Mode, ParseOptions, Variant

__all__ = ["IMAGE_MODES", "ImageMode", "Record", "RecordImage", "make_records"]

ImageMode = Literal["reference", "documents", "inline", "drop"]

IMAGE_MODES: tuple[ImageMode, ...] = ("reference", "documents", "inline", "drop")

# Ids must stay the same for ever: never change this, nor what `_RecordMaker._id` puts together.
_NAMESPACE = UUID("5b1f9c1e-0c55-5d0c-9f0e-6a3f2d3c7e41")

_CAPTION = re.compile(
    r"\W*(?:fig(?:ure|\.)?|abb(?:ildung|\.)|chart|photo|diagram|рис(?:унок|\.)|图|圖|図|그림)\s*\w",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordImage:
    """A picture that a record shows.

    Attributes:
        uri: Where it can be read; empty if nobody kept it.
        media_type: For example ``image/png``.
        name: As the service named it, for example ``images/3-2.png``.
        sha256: Of its bytes.
    """

    uri: str
    media_type: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A document before it belongs to a framework.

    Attributes:
        id: UUID that depends on the PDF's content, what was asked for and the place in it, never
            on when, where or under which name it was converted.
        text: Markdown, or a picture's caption.
        metadata: The contract's keys, in its order.
        images: The pictures it shows, each once, in order.
        kind: ``image`` for a picture's own record.
    """

    id: str
    text: str
    metadata: dict[str, MetadataValue]
    images: tuple[RecordImage, ...] = ()
    kind: Literal["text", "image"] = "text"


def make_records(
    conversion: Conversion,
    *,
    mode: Mode = "page",
    include_empty_pages: bool = False,
    images: ImageMode = "reference",
    metadata_style: MetadataStyle = "rich",
    uris: Mapping[str, str] | None = None,
    inline: Mapping[str, str] | None = None,
) -> Iterator[Record]:
    """Make the records of one conversion, variant by variant, in reading order.

    Args:
        conversion: The converted PDF; its blocks carry their provenance.
        mode: ``single``: one record for each variant, its text kept to the letter. ``page``: one
            for each page that has text (comments are none), or one for the file where too little is
            known of pages. ``block``: one for each block that is not empty. Page marks are left out
            of pages and blocks.
        include_empty_pages: With ``page``, give a record without text for each page that was
            converted and has none.
        images: ``reference``: links in the Markdown lead to ``uris``. ``documents``: the same, and
            each picture gets a record of its own where it appears first. ``inline``: links become
            the ``data:`` URIs of ``inline``. ``drop``: links are removed.
        metadata_style: ``rich``: lists stay lists. ``flat``: they become JSON strings.
        uris: Where each asset can be read, by its name. Links to assets that are not in it stay
            as the service wrote them.
        inline: The ``data:`` URI of each asset, by its name; read only with ``images="inline"``,
            one at a time.

    Yields:
        Records; the same ones for the same conversion and arguments.
    """
    links = inline if images == "inline" else uris
    maker = _RecordMaker(conversion, mode, images, metadata_style, {} if links is None else links)
    variants = [v for v in conversion.options.variants if v in conversion.markdown]
    cuts = cut(conversion, variants, mode, include_empty_pages=include_empty_pages)
    shown: set[str] = set()
    for variant, pieces in cuts.items():
        for piece in pieces:
            record = maker.text_record(variant, piece)
            # A picture that was dropped leaves nothing; a file always has its record, as it is.
            if piece.position == "file" or not maker.is_blank(piece):
                yield record
            elif mode == "page" and include_empty_pages:
                yield replace(record, text="")
            if images == "documents":
                yield from maker.image_records(variant, piece, shown)


class _RecordMaker:
    """Makes the records of one conversion; the arguments are those of :func:`make_records`."""

    def __init__(
        self,
        conversion: Conversion,
        mode: Mode,
        images: ImageMode,
        metadata_style: MetadataStyle,
        links: Mapping[str, str],
    ) -> None:
        self._conversion = conversion
        self._mode = mode
        self._images = images
        self._links = links
        self._writer = MetadataWriter(conversion, metadata_style)
        self._pictures = {asset.name: asset for asset in conversion.assets if asset.is_image}

    def text_record(self, variant: Variant, piece: Piece) -> Record:
        """Make the record of a piece's text."""
        edits, images = self._linked(piece.text)
        text, moved = apply_edits(piece.text, edits), follow_edits(edits)
        runs = runs_of([moved(run.start) for run in piece.runs], [run.place for run in piece.runs])
        return Record(
            id=self._id(variant=variant, position=piece.position),
            text=text,
            metadata=self._writer.write(
                variant=variant,
                pair_id=self._id(pair=piece.pair),
                place=piece.place,
                runs=runs,
                text=text,
                uris=[image.uri for image in images if image.uri],
                image_count=len(images),
                block=None if piece.number is None else piece.blocks[0],
                block_number=piece.number,
            ),
            images=images,
        )

    def is_blank(self, piece: Piece) -> bool:
        """Tell if nothing of a piece is left that a reader would see."""
        return all(block.is_silent or not self._left(block.text).strip() for block in piece.blocks)

    def _left(self, text: str) -> str:
        """Give what dropping pictures leaves of a text."""
        if self._images != "drop":
            return text
        return apply_edits(text, tuple(image_removals(text)))

    def image_records(self, variant: Variant, piece: Piece, shown: set[str]) -> Iterator[Record]:
        """Make a record of each picture of a piece that is not among those ``shown`` yet."""
        for block in piece.blocks:
            for reference in image_references(block.text):
                asset = self._pictures.get(reference.target)
                if asset is None or asset.sha256 in shown or asset.name not in self._links:
                    continue
                shown.add(asset.sha256)
                image = self._image(asset)
                place = place_of(block.provenance) if block.provenance else piece.place
                text = _image_text(reference.alt, self._beside(variant, block), block.section)
                metadata = self._writer.write(
                    variant=variant,
                    pair_id=self._id(pair=piece.pair),
                    place=replace(place, continues_from=None),
                    uris=[image.uri] if image.uri else [],
                    image_count=1,
                    block=block,
                    block_number=piece.number,
                )
                metadata["kind"] = "image"
                if block.kind != "image":  # the box is that of the text around the picture
                    metadata.pop("bbox", None)
                yield Record(
                    id=self._id(variant=variant, position=f"image:{asset.sha256}"),
                    text=text or self._image_whereabouts(place),
                    metadata=metadata,
                    images=(image,),
                    kind="image",
                )

    def _beside(self, variant: Variant, block: Block) -> tuple[Block, ...]:
        """Give the block after and the block before another one: where captions stand."""
        blocks = self._conversion.blocks_by_variant[variant]
        at = bisect_left(blocks, block.start, key=lambda other: other.start)
        return (*blocks[at + 1 : at + 2], *blocks[max(at - 1, 0) : at])

    def _image_whereabouts(self, place: Place) -> str:
        name = self._conversion.source.name
        if place.page_number is None:
            return f"Image from {name}"
        return f"Image from page {place.page_number} of {name}"

    def _image(self, asset: Asset) -> RecordImage:
        uri = "" if self._images in {"inline", "drop"} else self._links.get(asset.name, "")
        return RecordImage(
            uri=uri, media_type=asset.media_type, name=asset.name, sha256=asset.sha256
        )

    def _linked(self, text: str) -> tuple[Sequence[Edit], tuple[RecordImage, ...]]:
        """Turn the links of a text into what ``images`` asks for; also tell what they show."""
        shown: dict[str, RecordImage] = {}

        def link(target: str) -> str | None:
            asset = self._pictures.get(target)
            if asset is None:
                return None
            if asset.sha256 not in shown:
                shown[asset.sha256] = self._image(asset)
            return None if self._images == "drop" else self._links.get(asset.name)

        edits = tuple(image_edits(text, link))
        if self._images == "drop":
            edits = tuple(image_removals(text))
        return edits, tuple(shown.values())

    def _id(self, **place: str) -> str:
        identity = {
            "content_sha256": self._conversion.source.sha256,
            "options": _identity(self._conversion.options),
            "mode": self._mode,
            "images": self._images,
            **place,
        }
        return str(uuid5(_NAMESPACE, json.dumps(identity, sort_keys=True)))


def _identity(options: ParseOptions) -> dict[str, object]:
    """Name the options that change the text.

    Those at their default are left out, so that an option that is added one day leaves all ids as
    they are; which variants are handed out changes none of them.
    """
    service = {"service": options.service} if options.service else {}
    return service | {
        option.name: getattr(options, option.name)
        for option in fields(options)
        if option.name != "variants" and getattr(options, option.name) != option.default
    }


def _image_text(alt: str, around: Sequence[Block], section: Sequence[str]) -> str:
    """Say what a picture shows: its alt text, the caption beside it, the heading above it."""
    captions = [b.text for b in around if b.kind == "paragraph" and _CAPTION.match(b.text)]
    lines = [alt, *captions[:1], " > ".join(section)]
    return "\n".join(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
