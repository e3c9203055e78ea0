"""Everything a loader or reader of Doc2X can be told, checked when it is made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zhiyipdf.documents import ImageMode, MetadataStyle
from zhiyipdf.keys import ApiKey
from zhiyipdf.loader_options import LoaderOptions, Location, OnError, secrets_of, store_of
from zhiyipdf.models import (
    Comments,
    Doc2XModel,
    Doc2XOptions,
    Doc2XVersion,
    FormulaStyle,
    Mode,
)

__all__ = ["Doc2XLoaderOptions", "read_doc2x_options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc2XLoaderOptions(LoaderOptions):
    """What :class:`~zhiyipdf.loader_options.LoaderOptions` has, and Doc2X's own.

    ``table_mode``, ``translate_to`` and ``variants`` stay at their defaults: Doc2X has none of it.

    Attributes:
        model: This and the others as in :class:`~zhiyipdf.models.Doc2XOptions`.
        formula_style: See there.
        comments: See there.
        ocr: See there.
        img_correction: See there.
        formula_only: See there.

    Raises:
        ValueError: A value is not one that it can have.
    """

    model: Doc2XModel = "v2"
    formula_style: FormulaStyle = "dollar"
    comments: Comments = "figure_text"
    ocr: bool = True
    img_correction: bool = False
    formula_only: bool = False

    def __post_init__(self) -> None:
        """See the base class."""
        LoaderOptions.__post_init__(self)

    @property
    def parse_options(self) -> Doc2XOptions:
        """What concerns the conversion itself."""
        return Doc2XOptions(
            api_version="v1" if self.provider == "doc2x-v1" else "v2",
            table_mode=self.table_mode,
            translate_to=self.translate_to,
            variants=self.variants,
            pages=self.pages,
            model=self.model,
            formula_style=self.formula_style,
            comments=self.comments,
            ocr=self.ocr,
            img_correction=self.img_correction,
            formula_only=self.formula_only,
        )


def read_doc2x_options(
    *,
    api_key: ApiKey | None,
    base_url: str | None,
    api_version: Doc2XVersion,
    mode: Mode,
    model: Doc2XModel,
    formula_style: FormulaStyle,
    comments: Comments,
    ocr: bool,
    img_correction: bool,
    formula_only: bool,
    pages: str | None,
    include_empty_pages: bool,
    images: ImageMode,
    image_dir: Location | None,
    metadata_style: MetadataStyle,
    store: Location | Literal[False] | None,
    max_points: int | None,
    on_error: OnError,
    show_progress: bool,
    storage_options: Mapping[str, Any] | None,
) -> Doc2XLoaderOptions:
    """Make options of what a caller may write, as ``read_options`` does; no defaults here either.

    Raises:
        ValueError: A value is not one that :class:`Doc2XLoaderOptions` takes, or a key holds
            characters that no key has.
    """
    if api_version not in ("v1", "v2"):
        raise ValueError(f"api_version must be 'v1' or 'v2', not {api_version!r}")
    return Doc2XLoaderOptions(
        provider="doc2x-v1" if api_version == "v1" else "doc2x",
        api_key=secrets_of(api_key),
        base_url=base_url,
        mode=mode,
        model=model,
        formula_style=formula_style,
        comments=comments,
        ocr=ocr,
        img_correction=img_correction,
        formula_only=formula_only,
        pages=pages,
        include_empty_pages=include_empty_pages,
        images=images,
        image_dir=None if image_dir is None else os.fspath(image_dir),
        metadata_style=metadata_style,
        store=store_of(store),
        max_points=max_points,
        on_error=on_error,
        show_progress=show_progress,
        storage_options=storage_options,
    )
