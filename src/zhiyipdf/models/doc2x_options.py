"""What a caller can ask of Doc2X."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from zhiyipdf.models.options import ParseOptions

__all__ = ["Comments", "Doc2XModel", "Doc2XOptions", "FormulaStyle"]

# Wire notes 2.2: any other value is a parameter error.
Doc2XModel = Literal["v2", "v3-2026"]

FormulaStyle = Literal["dollar", "bracket"]

Comments = Literal["figure_text", "all", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc2XOptions(ParseOptions):
    r"""What to make of a PDF or picture through Doc2X; everything here changes the output.

    Only ``model`` and ``pages`` decide what is paid for: the rest is done to the stored result.

    Attributes:
        model: ``v3-2026`` tells where each block stands on its page; ``v2`` tells the page alone.
        formula_style: ``dollar`` for ``$…$`` and ``$$…$$``, ``bracket`` for ``\(…\)`` and
            ``\[…\]``, as the service has them.
        comments: What becomes of the service's HTML comments. ``figure_text`` keeps the text that
            was read in figures, beside its figure, and drops the rest: marks around figures and
            footnotes, running heads. ``all`` keeps everything as it came, ``none`` drops all.

    Raises:
        ValueError: A value is not one of those above, or it is asked for what Doc2X does not do:
            pictures of tables, translations.
    """

    service: ClassVar[str] = "doc2x"

    model: Doc2XModel = "v2"
    formula_style: FormulaStyle = "dollar"
    comments: Comments = "figure_text"

    def __post_init__(self) -> None:
        """Refuse what the service would refuse, before anything is sent."""
        ParseOptions.__post_init__(self)
        for name, choices in (
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

    @property
    def paid(self) -> dict[str, str]:
        """See :attr:`~zhiyipdf.models.ParseOptions.paid`."""
        return {"model": self.model}

    @classmethod
    def of(cls, options: ParseOptions) -> Doc2XOptions:
        """Read options that may not be Doc2X's own.

        Raises:
            ValueError: They ask for what Doc2X does not do.
        """
        if isinstance(options, cls):
            return options
        return cls(
            table_mode=options.table_mode,
            translate_to=options.translate_to,
            variants=options.variants,
            pages=options.pages,
        )
