"""Everything a loader or reader can be told, checked when it is made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from zhiyipdf.documents import IMAGE_MODES, METADATA_STYLES, ImageMode, MetadataStyle
from zhiyipdf.keys import ApiKey, SecretText, read_keys
from zhiyipdf.models import Language, Mode, ParseOptions, Secret, TableMode, Variant

__all__ = [
    "ApiKey",
    "LoaderOptions",
    "Location",
    "OnError",
    "ProviderName",
    "SecretText",
    "read_options",
    "secrets_of",
    "store_of",
    "variants_of",
]

OnError = Literal["raise", "skip"]

ProviderName = Literal["zhiyipdf", "doc2x", "doc2x-v1"]

Location = str | os.PathLike[str]


def secrets_of(api_key: ApiKey | None) -> tuple[Secret, ...] | None:
    """Wrap the keys a caller gave; None if there are none, so that the environment is asked later.

    Raises:
        ValueError: A key holds characters that no key has.
    """
    return read_keys(api_key, environment=None) or None


def variants_of(variants: Variant | Sequence[Variant] | None) -> tuple[Variant, ...]:
    """Write one variant, several or none as a tuple."""
    if variants is None:
        return ()
    return (variants,) if isinstance(variants, str) else tuple(variants)


def store_of(store: Location | Literal[False] | None) -> str | Literal[False] | None:
    """Write a store's place as text; False and None stay what they are."""
    return store if store is False or store is None else os.fspath(store)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderOptions:
    """Everything a loader or reader can be told; what goes without saying is None.

    Attributes:
        api_key: Keys, used side by side; None: ``ZHIYIPDF_API_KEY``.
        base_url: The service; None: ``ZHIYIPDF_BASE_URL``, else the hosted one; ``local``: the
            embedded server.
        mode: ``single``, ``page`` or ``block``.
        table_mode: ``markdown`` or ``image``.
        translate_to: Target language, or None.
        variants: Which texts to hand out; empty: the original, or with a translation that.
        pages: Which pages, for example ``1-20,35``; None: all.
        include_empty_pages: With ``page``, whether pages without text get a document, too.
        images: ``reference``, ``documents``, ``inline`` or ``drop``.
        image_dir: fsspec URL to export pictures to; None: they stay in the store.
        metadata_style: ``rich`` or ``flat``.
        store: fsspec URL; None: ``ZHIYIPDF_STORE``, else the user's cache; False: keep nothing.
        max_points: Most points this loader may spend; None: no limit.
        on_error: ``raise``, or ``skip``: log at ERROR, report, go on with the next source. Only
            what is wrong with a source or the service is skipped.
        show_progress: Whether to draw a progress bar.
        storage_options: For fsspec; may hold credentials, so it is not shown.
        provider: Name of the service's protocol.

    Raises:
        ValueError: A value is not one of those above.
    """

    api_key: tuple[Secret, ...] | None = None
    base_url: str | None = None
    mode: Mode = "page"
    table_mode: TableMode = "markdown"
    translate_to: Language | None = None
    variants: tuple[Variant, ...] = ()
    pages: str | None = None
    include_empty_pages: bool = False
    images: ImageMode = "reference"
    image_dir: str | None = None
    metadata_style: MetadataStyle = "rich"
    store: str | Literal[False] | None = None
    max_points: int | None = None
    on_error: OnError = "raise"
    show_progress: bool = False
    storage_options: Mapping[str, Any] | None = field(default=None, repr=False)
    provider: ProviderName = "zhiyipdf"

    def __post_init__(self) -> None:
        """Refuse what cannot work when the loader is made, not when it is first used."""
        _check("mode", self.mode, get_args(Mode))
        _check("images", self.images, IMAGE_MODES)
        _check("metadata_style", self.metadata_style, METADATA_STYLES)
        _check("on_error", self.on_error, get_args(OnError))
        if self.max_points is not None and self.max_points < 0:
            raise ValueError(f"max_points must not be negative: {self.max_points}")
        object.__setattr__(self, "variants", self.parse_options.variants)  # refuses the rest

    @property
    def parse_options(self) -> ParseOptions:
        """What concerns the conversion itself."""
        return ParseOptions(
            table_mode=self.table_mode,
            translate_to=self.translate_to,
            variants=self.variants,
            pages=self.pages,
        )


def read_options(
    *,
    api_key: ApiKey | None,
    base_url: str | None,
    mode: Mode,
    table_mode: TableMode,
    translate_to: Language | None,
    variants: Variant | Sequence[Variant] | None,
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
) -> LoaderOptions:
    """Make options of what a caller may write: one key or several, a path or text, and so on.

    There are no defaults, so that no loader or reader can forget to pass an option on.

    Raises:
        ValueError: A value is not one that :class:`LoaderOptions` takes, or a key holds characters
            that no key has.
    """
    return LoaderOptions(
        api_key=secrets_of(api_key),
        base_url=base_url,
        mode=mode,
        table_mode=table_mode,
        translate_to=translate_to,
        variants=variants_of(variants),
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


def _check(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {tuple(choices)}, not {value!r}")
