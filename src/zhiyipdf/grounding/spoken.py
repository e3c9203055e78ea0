"""Takes the markup out of a block of Markdown and leaves what its page shows as text."""

from __future__ import annotations

import html
import re
import unicodedata

__all__ = ["spoken_text"]

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<[!?][^<>]*>")
_IMAGE = re.compile(r"!\[[^\[\]]*\](?:\((?:<[^<>]*>|[^()<>]*(?:\([^()]*\)[^()<>]*)*)\)|\[[^\]]*\])")
_LINK = re.compile(r"\[([^\[\]]*)\]\((?:<[^<>]*>|[^()<>\s]*(?:\([^()\s]*\)[^()<>\s]*)*)(?:\s+\"[^\"]*\")?\)")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*$", re.MULTILINE)
_FORMULA = re.compile(r"\$\$?(.+?)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?|\\.")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")

# What TeX prints as the same word (The TeXbook, chapter 18, "log-like" names).
_NAMES = frozenset(
    ["arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim", "exp", "gcd", "hom", "inf", "ker", "lg", "lim", "liminf", "limsup", "ln", "log", "max", "min", "mod", "Pr", "sec", "sin", "sinh", "sup", "tan", "tanh"]
)
_GREEK = {
    name: unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}")
    for name in (
        ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"]
    )
} | {"lambda": "λ", "varepsilon": "ε", "varphi": "φ", "vartheta": "θ", "varrho": "ρ", "varpi": "π"}


def spoken_text(markdown: str) -> str:
    """Give the text of a block without comments, pictures, targets, tags and commands.

    Emphasis, pipes, hashes and other punctuation stay: folding drops them.

    Args:
        markdown: One block.
    """
    text = markdown
    if "<" in text:
        text = _TAG.sub(" ", _COMMENT.sub(" ", text))
    if "[" in text:
        text = _LINK.sub(r"\1", _IMAGE.sub(" ", text))
    if "```" in text or "~~~" in text:
        text = _FENCE.sub(" ", text)
    if "&" in text:
        text = html.unescape(text)
    if "$" in text or "\\" in text:
        text = _ESCAPE.sub(r"\1", _FORMULA.sub(_formula, text))
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _formula(match: re.Match[str]) -> str:
    inside = next(group for group in match.groups() if group is not None)
    return _COMMAND.sub(_command, inside) if "\\" in inside else match[0]


def _command(match: re.Match[str]) -> str:
    name = match[1] or ""
    if name in _NAMES:
        return name
    letter = _GREEK.get(name) or _GREEK.get(name.lower())
    return letter or " "
