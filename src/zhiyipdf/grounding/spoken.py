"""Takes the markup out of a block of Markdown and leaves what its page shows as text."""

from __future__ import annotations

import html
import re
import unicodedata

__all__ = ["spoken_text"]

# Each of these looks no further than the next bracket of its kind, so that all are linear.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<[!?][^<>]*>")
_TARGET = r"\((?:<[^<>]*>|[^()<>\s]*(?:\([^()\s]*\)[^()<>\s]*)*)(?:\s+\"[^\"]*\")?\)"
_IMAGE = re.compile(rf"!\[[^\[\]]*\](?:{_TARGET}|\[[^\[\]]*\])")
_LINK = re.compile(rf"\[([^\[\]]*)\]{_TARGET}")
# As CommonMark has them (section 2.5); Python refuses numbers of more than 4,300 digits.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*$", re.MULTILINE)
_FORMULA_EDGE = re.compile(r"(\$\$?|\\[()\[\]])")
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?|\\.")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")

# What TeX prints as the same word (The TeXbook, chapter 18: the log-like names).
_NAMES = frozenset(
    re.findall(
        r"\w+",
        "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim"
        " liminf limsup ln log max min mod Pr sec sin sinh sup tan tanh",
    )
)
# The Greek letters that Unicode names as TeX does, and those it does not.
_GREEK = re.compile(
    r"(?i:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|mu|nu|xi|omicron|pi|rho|sigma"
    r"|tau|upsilon|phi|chi|psi|omega)"
)
_VARIANTS = {
    "lambda": "λ",
    "Lambda": "Λ",
    "varepsilon": "ε",
    "varphi": "φ",
    "vartheta": "θ",
    "varrho": "ρ",
    "varpi": "π",
}


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
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if "\\" in text:
        text = _ESCAPE.sub(r"\1", _without_commands(text))
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _without_commands(text: str) -> str:
    """Turn TeX commands in formulas into what they print; elsewhere a backslash may be shown."""
    pieces = _FORMULA_EDGE.split(text)
    inside = False
    for index, piece in enumerate(pieces):
        if index % 2:
            inside = piece in {r"\(", r"\["} or (piece.startswith("$") and not inside)
            pieces[index] = " "
        elif inside and "\\" in piece:
            pieces[index] = _COMMAND.sub(_printed, piece)
    return "".join(pieces)


def _printed(command: re.Match[str]) -> str:
    name = command[1] or ""
    if name in _NAMES:
        return name
    if _GREEK.fullmatch(name):
        size = "SMALL" if name[0].islower() else "CAPITAL"
        return unicodedata.lookup(f"GREEK {size} LETTER {name.upper()}")
    return _VARIANTS.get(name, " ")
