"""What a caller can ask of Doc2X."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

from zhiyipdf.models.options import ParseOptions

__all__ = ["Comments", "Doc2XModel", "Doc2XOptions", "Doc2XVersion", "FormulaStyle"]

# Wire notes 2.2: any other value is a parameter error.
Doc2XModel = Literal["v2", "v3-2026"]

FormulaStyle = Literal["dollar", "bracket"]

Comments = Literal["figure_text", "all", "none"]

Doc2XVersion = Literal["v1", "v2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc2XOptions(ParseOptions):
    r"""What to make of a PDF or picture through Doc2X; everything here changes the output.

    ``formula_style`` and ``comments`` are no part of what is paid for: that is done to the stored
    result.

    Attributes:
        api_version: Of the service's API. ``v1`` was said to be retired in October 2024; only it
            has ``ocr``, ``img_correction`` and ``formula_only``.
        model: ``v3-2026`` tells where each block stands on its page; ``v2`` tells the page alone.
        formula_style: ``dollar`` for ``$…$`` and ``$$…$$``, ``bracket`` for ``\(…\)`` and
            ``\[…\]``, as the service has them.
        comments: What becomes of the service's HTML comments. ``figure_text`` keeps the text that
            was read in figures, beside its figure, and drops the rest: marks around figures and
            footnotes, running heads. ``all`` keeps everything as it came, ``none`` drops all.
        ocr: Whether text in the pictures of a PDF is recognised.
        img_correction: Whether a picture is straightened first; not for PDFs.
        formula_only: Whether a picture is nothing but a formula; not for PDFs.

    Raises:
        ValueError: A value is not one of those above, or it is asked for what Doc2X, or this
            version of its API, does not do: pictures of tables, translations.
    """

    service: ClassVar[str] = "doc2x"

    api_version: Doc2XVersion = "v2"
    model: Doc2XModel = "v2"
    formula_style: FormulaStyle = "dollar"
    comments: Comments = "figure_text"
    ocr: bool = True
    img_correction: bool = False
    formula_only: bool = False

    def __post_init__(self) -> None:
        """Refuse what the service would refuse, before anything is sent."""
        ParseOptions.__post_init__(self)
        for name, choices in (
            ("api_version", get_args(Doc2XVersion)),
            ("model", get_args(Doc2XModel)),
            ("formula_style", get_args(FormulaStyle)),
            ("comments", get_args(Comments)),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {choices}, not {getattr(self, name)!r}")
        if self.table_mode != "markdown":
            raise ValueError("Doc2X writes tables as HTML; it has no table_mode")
        if self.translate_to is not None:
            raise ValueError("Doc2X's API has no translation")
        if self.api_version == "v1":
            if self.model != "v2":
                raise ValueError(f"Doc2X's first API has no model {self.model!r}")
        elif not self.ocr or self.img_correction or self.formula_only:
            raise ValueError(
                "ocr, img_correction and formula_only are options of Doc2X's first API alone: "
                "api_version='v1'"
            )

    @property
    def paid(self) -> dict[str, str]:
        """See :attr:`~zhiyipdf.models.ParseOptions.paid`."""
        if self.api_version == "v2":
            return {"model": self.model}
        flags = (self.ocr, self.img_correction, self.formula_only)
        return {"flags": "".join("1" if flag else "0" for flag in flags)}

    @classmethod
    def of(cls, options: ParseOptions | None, api_version: Doc2XVersion) -> Doc2XOptions:
        """Read options that may not be Doc2X's own.

        Raises:
            ValueError: They ask for what Doc2X, or this version of its API, does not do.
        """
        if options is None:
            return cls(api_version=api_version)
        if isinstance(options, cls):
            if options.api_version == api_version:
                return options
            return replace(options, api_version=api_version)
        return cls(
            api_version=api_version,
            table_mode=options.table_mode,
            translate_to=options.translate_to,
            variants=options.variants,
            pages=options.pages,
        )
