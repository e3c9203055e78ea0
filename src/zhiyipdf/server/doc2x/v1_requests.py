"""Pure: reading the forms of version 1, and the format of an export."""

from __future__ import annotations

from collections.abc import Mapping

from zhiyipdf.server.doc2x.exports import ExportRequest
from zhiyipdf.server.tasks import TaskOptions
from zhiyipdf.server.translation import DOC2X_LANGUAGES

__all__ = ["WrongField", "asks_for_translation", "read_export", "read_image", "read_pdf"]

# Both are the wire notes', 1.2; this server translates with the model of its own endpoint.
MODELS = ("deepseek", "glm4")
PARSE, TRANSLATE = "1", "2"
_FLAGS = {"1": True, "0": False, "true": True, "false": False}


class WrongField(ValueError):
    """A field has a value the service does not know; the message names it."""


def read_pdf(fields: Mapping[str, str]) -> TaskOptions:
    """What to make of a PDF: ``ocr``, ``parse_to``, and with 2 ``lang`` and ``model``.

    Raises:
        WrongField: A value is unknown.
    """
    ocr = _flag(fields, "ocr", default=True)
    parse_to = fields.get("parse_to") or PARSE
    if parse_to == PARSE:
        return TaskOptions(protocol="doc2x", ocr=ocr)
    if parse_to != TRANSLATE:
        raise WrongField("parse_to must be 1 or 2")
    language = fields.get("lang") or "zh"
    if language not in DOC2X_LANGUAGES:
        raise WrongField(f"lang must be one of {', '.join(DOC2X_LANGUAGES)}")
    if (fields.get("model") or MODELS[0]) not in MODELS:
        raise WrongField(f"model must be one of {', '.join(MODELS)}")
    return TaskOptions(
        protocol="doc2x", ocr=ocr, translate_to=language, variants=("original", "translated")
    )


def read_image(fields: Mapping[str, str]) -> TaskOptions:
    """What to make of an image: ``equation`` and ``img_correction``.

    Raises:
        WrongField: A value is unknown, or formulas alone are asked for, which no OCR here reads.
    """
    if _flag(fields, "equation", default=False):
        raise WrongField("equation=1 needs a formula OCR, which this server does not have")
    straighten = _flag(fields, "img_correction", default=False)
    return TaskOptions(protocol="doc2x", source="image", straighten=straighten)


def asks_for_translation(query: Mapping[str, str]) -> bool:
    """Whether a status is asked for with ``parse_to=2``; version 0.0.7 spelled it otherwise."""
    return TRANSLATE in (query.get("parse_to"), query.get("parseTo"))


def read_export(to: str) -> ExportRequest:
    """What file ``to`` means.

    Raises:
        WrongField: There is no such format.
    """
    match to:
        case "md":
            return ExportRequest(to="md")
        case "md_dollar":
            return ExportRequest(to="md", formula_mode="dollar")
        case "latex":
            return ExportRequest(to="tex")
        case "docx":
            return ExportRequest(to="docx")
        case _:
            raise WrongField("to must be md, md_dollar, latex or docx")


def _flag(fields: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = (fields.get(name) or "").lower()
    if not text:
        return default
    if text not in _FLAGS:
        raise WrongField(f"{name} must be 1 or 0")
    return _FLAGS[text]
