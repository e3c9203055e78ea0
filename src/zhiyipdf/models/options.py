"""What a caller can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from zhiyipdf.models.page_ranges import page_ranges, written

__all__ = ["LANGUAGES", "VARIANTS", "Language", "Mode", "ParseOptions", "TableMode", "Variant"]

Mode = Literal["single", "page", "block"]

Variant = Literal["original", "translated", "bilingual"]

TableMode = Literal["markdown", "image"]

# The eight codes of the API page, section "目标语言 (target_language)".
Language = Literal["zh", "en", "ja", "ko", "fr", "de", "es", "ru"]

VARIANTS: tuple[Variant, ...] = get_args(Variant)

LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseOptions:
    """What to make of a PDF; everything here changes the output.

    Attributes:
        table_mode: ``markdown`` for pipe tables, ``image`` for pictures of them.
        translate_to: Target language, one of :data:`Language`; None for no translation.
            Translating costs 3 points a page instead of 2.
        variants: What to hand out. Empty means ``("original",)`` without and
            ``("translated",)`` with a translation.
        pages: Which pages, for example ``"1-20,35"`` or ``"5-"`` (1-based); None for all. Only
            these are sent and paid for. Kept in its shortest form.

    Raises:
        ValueError: A value is not one of those above, or ``variants`` asks for a translation
            without ``translate_to``.
    """

    service: ClassVar[str] = ""
    """Name of the service these options are of; empty for ZhiyiPDF's."""

    table_mode: TableMode = "markdown"
    translate_to: Language | None = None
    variants: tuple[Variant, ...] = ()
    pages: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the service would refuse, before anything is sent."""
        if self.table_mode not in get_args(TableMode):
            modes = get_args(TableMode)
            raise ValueError(f"table_mode must be one of {modes}, not {self.table_mode!r}")
        if self.translate_to is not None and self.translate_to not in LANGUAGES:
            raise ValueError(f"translate_to must be one of {LANGUAGES}, not {self.translate_to!r}")
        variants = tuple(dict.fromkeys(self.variants))
        unknown = [v for v in variants if v not in VARIANTS]
        if unknown:
            raise ValueError(f"variants must be of {VARIANTS}, not {unknown}")
        if not variants:
            variants = ("original",) if self.translate_to is None else ("translated",)
        if self.translate_to is None and variants != ("original",):
            raise ValueError(f"variants={variants} needs translate_to")
        ordered = tuple(v for v in VARIANTS if v in variants)
        object.__setattr__(self, "variants", ordered)
        if self.pages is not None:
            object.__setattr__(self, "pages", _shortest(self.pages))

    @property
    def paid(self) -> dict[str, str]:
        """More that decides what is paid for; nothing here, for a service's own options."""
        return {}

    @property
    def service_variants(self) -> tuple[Variant, ...]:
        """What is asked of the service: with a translation always the original too (same price)."""
        if self.translate_to is None:
            return ("original",)
        return tuple(v for v in VARIANTS if v == "original" or v in self.variants)


def _shortest(pages: str) -> str | None:
    """Write page ranges in one way, so that equal wishes are equal; None if it is all pages."""
    ranges = page_ranges(pages)
    return None if ranges == ((1, None),) else written(ranges)
