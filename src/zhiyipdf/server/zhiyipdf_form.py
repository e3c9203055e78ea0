"""Pure reading of the parse form: every field of the API document, checked, with its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from zhiyipdf.server.tasks import TableMode, TaskOptions, Variant
from zhiyipdf.server.translation import LANGUAGES

__all__ = ["InvalidField", "points_per_page", "read_options"]

# "积分消耗规则" of the API document.
POINTS_PARSE = 2
POINTS_PARSE_AND_TRANSLATE = 3

_TABLE_MODES: tuple[TableMode, ...] = get_args(TableMode)
_VARIANTS: tuple[Variant, ...] = get_args(Variant)
_BOOLEANS = {"true": True, "false": False}


class InvalidField(ValueError):
    """A field has a value the document does not have; the message names both."""


def points_per_page(options: TaskOptions) -> int:
    """2 points a page, 3 with translation."""
    return POINTS_PARSE if options.translate_to is None else POINTS_PARSE_AND_TRANSLATE


def read_options(fields: Mapping[str, str]) -> TaskOptions:
    """Read the form's options.

    ``formula_format``, ``skip_rotation_detection``, ``enable_cross_page_merge`` and
    ``enrichment``, which only the vendor's own clients send, have nothing to act on here and are
    accepted; so are unknown fields.

    Args:
        fields: The form's text fields. Empty ones count as missing.

    Raises:
        InvalidField: A value is not one of the document's.
    """
    if _flag(fields, "images_as_url"):
        raise InvalidField(
            "images_as_url is not supported: it puts the API key into image addresses. "
            "Leave it out; the ZIP holds the images."
        )
    table_mode = fields.get("table_mode") or "markdown"
    if table_mode not in _TABLE_MODES:
        raise InvalidField(_invalid("table_mode", table_mode, _TABLE_MODES))
    language = fields.get("target_language") or "zh"
    if language not in LANGUAGES:
        raise InvalidField(_invalid("target_language", language, tuple(LANGUAGES)))
    variants = _variants(fields.get("output_options") or "original")
    if not _flag(fields, "enable_translation"):
        # Both are valid only with enable_translation=true; without it they say nothing.
        return TaskOptions(table_mode=table_mode)
    return TaskOptions(table_mode=table_mode, translate_to=language, variants=variants)


def _flag(fields: Mapping[str, str], name: str) -> bool:
    text = fields.get(name) or "false"
    if text.lower() not in _BOOLEANS:
        raise InvalidField(_invalid(name, text, tuple(_BOOLEANS)))
    return _BOOLEANS[text.lower()]


def _variants(text: str) -> tuple[Variant, ...]:
    asked = {part.strip() for part in text.split(",")}
    for part in sorted(asked):
        if part not in _VARIANTS:
            raise InvalidField(_invalid("output_options", part, _VARIANTS))
    return tuple(variant for variant in _VARIANTS if variant in asked)


def _invalid(name: str, value: str, allowed: tuple[str, ...]) -> str:
    return f"Invalid {name}: {value[:50]!r}. Allowed: {', '.join(allowed)}"
