"""Makes the records of one conversion, its pictures put where they are to be read."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zhiyipdf.documents import ImageMode, MetadataStyle, Record, make_records
from zhiyipdf.documents.export import as_uri, export_images
from zhiyipdf.models import Asset, Conversion, Mode

__all__ = ["Presentation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How conversions are shown; the values mean what they mean for the loaders.

    Attributes:
        read_asset: Gives the bytes of a picture.
        keeps_assets: Whether pictures stay where their URIs say.
        mode: How much of a PDF makes one record.
        images: What becomes of pictures.
        image_dir: fsspec URL to export them to; None: they stay in the store.
        metadata_style: Whether lists stay lists.
        include_empty_pages: Whether pages without text make a record, too.
        storage_options: For fsspec, where pictures are exported.
        relative_to: Address of a folder; links to pictures below it are written relative to it,
            so that the folder can be moved.
    """

    read_asset: Callable[[Asset], bytes]
    keeps_assets: bool
    mode: Mode
    images: ImageMode
    image_dir: str | None
    metadata_style: MetadataStyle
    include_empty_pages: bool = False
    storage_options: Mapping[str, Any] | None = None
    relative_to: str | None = None

    def records(self, conversion: Conversion) -> Iterator[Record]:
        """Make the records.

        Raises:
            OSError: A picture cannot be read or written.
        """
        return make_records(
            conversion,
            mode=self.mode,
            include_empty_pages=self.include_empty_pages,
            images=self.images,
            metadata_style=self.metadata_style,
            uris=self._uris(conversion) if self._links else None,
            inline=_DataURIs(conversion.assets, self.read_asset),
        )

    def loses_pictures(self, conversion: Conversion) -> bool:
        """Whether links to pictures will lead nowhere because nobody keeps them."""
        pictures = any(asset.is_image for asset in conversion.assets)
        return self._links and self.image_dir is None and pictures and not self.keeps_assets

    @property
    def _links(self) -> bool:
        return self.images in {"reference", "documents"}

    def _uris(self, conversion: Conversion) -> Mapping[str, str]:
        """See to it that the pictures are where they can stay, and tell where that is."""
        pictures = [asset for asset in conversion.assets if asset.is_image]
        if self.image_dir is not None:
            exported = export_images(
                [asset for asset in pictures if asset.referenced],
                read=self.read_asset,
                image_dir=self.image_dir,
                storage_options=self.storage_options,
            )
            if self.relative_to is None:
                return exported
            base = as_uri(self.relative_to).rstrip("/") + "/"
            return {name: uri.removeprefix(base) for name, uri in exported.items()}
        if self.keeps_assets:
            return {asset.name: as_uri(asset.uri) for asset in pictures}
        return {}


class _DataURIs(Mapping[str, str]):
    """Pictures as ``data:`` URIs by name, each read when it is asked for, so none is kept."""

    def __init__(self, assets: Sequence[Asset], read: Callable[[Asset], bytes]) -> None:
        self._pictures = {asset.name: asset for asset in assets if asset.is_image}
        self._read = read

    def __getitem__(self, name: str) -> str:
        asset = self._pictures[name]
        return f"data:{asset.media_type};base64,{base64.b64encode(self._read(asset)).decode()}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._pictures)

    def __len__(self) -> int:
        return len(self._pictures)
