"""Pure: reading what clients of version 2 send."""

from __future__ import annotations

import json
from typing import Any, cast, get_args

from zhiyipdf.server.archive import result_stem
from zhiyipdf.server.doc2x.exports import ExportFormat, ExportRequest, FormulaMode
from zhiyipdf.server.doc2x.uploads import Model

__all__ = ["WrongParameter", "read_export", "read_model", "read_object"]

MODELS: tuple[Model, ...] = ("v2", "v3-2026")
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
FORMULA_MODES: tuple[FormulaMode, ...] = get_args(FormulaMode)
FORMULA_LEVELS = (0, 1, 2)


class WrongParameter(ValueError):
    """A parameter has a value the service does not know; the message names it."""


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty body is an empty one.

    Raises:
        WrongParameter: It is something else.
    """
    try:
        content = json.loads(body) if body.strip() else {}
    except ValueError:
        raise WrongParameter("the body is not JSON") from None
    if not isinstance(content, dict):
        raise WrongParameter("the body is not a JSON object")
    return content


def read_model(content: dict[str, Any]) -> Model:
    """The model to parse with; fields other than ``model`` are ignored.

    Raises:
        WrongParameter: There is no such model.
    """
    return cast("Model", _one_of(content, "model", MODELS, default="v2"))


def read_export(content: dict[str, Any]) -> tuple[str, ExportRequest]:
    """The uid, and what file to make of it.

    Raises:
        WrongParameter: A field is missing or has another value than the service knows.
    """
    uid = content.get("uid")
    if not isinstance(uid, str) or not uid:
        raise WrongParameter("uid is missing")
    to = cast("ExportFormat", _one_of(content, "to", FORMATS, default=None))
    file_name = content.get("filename") or "output"
    merge = content.get("merge_cross_page_forms") or False
    level = content.get("formula_level") or 0
    if not isinstance(file_name, str):
        raise WrongParameter("filename must be a string")
    if not isinstance(merge, bool):
        raise WrongParameter("merge_cross_page_forms must be true or false")
    if level not in FORMULA_LEVELS or isinstance(level, bool):
        raise WrongParameter("formula_level must be 0, 1 or 2")
    mode = cast("FormulaMode", _one_of(content, "formula_mode", FORMULA_MODES, default="normal"))
    return uid, ExportRequest(
        to=to,
        formula_mode=mode if to == "md" else "normal",
        file_name=result_stem(file_name),
        merge_tables=merge,
        formula_level=level,
    )


def _one_of(
    content: dict[str, Any], name: str, allowed: tuple[str, ...], *, default: str | None
) -> str:
    value = content.get(name) or default
    if value not in allowed:
        raise WrongParameter(f"{name} must be one of {', '.join(allowed)}")
    return str(value)
