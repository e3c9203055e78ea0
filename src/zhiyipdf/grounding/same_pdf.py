"""Tells whether a Markdown was made of this PDF, by how much of the one is found in the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.findings import Finding
from zhiyipdf.grounding.streams import BlockStream, PageStream

__all__ = ["most_to_be_believed"]

# A PDF's own text is found in it to 98 %, another PDF's to 5 to 8 %, a translation's, by its code
# and names, to 9 to 24 % (grounding study, section 5.3).
_OTHER_PDF, _SAME_PDF, _DOUBT = 0.12, 0.4, 0.8
_LETTERS_TO_JUDGE, _FEW_LETTERS = 400, 40
_MOST_WORDS = 0.5
_READ_SHARE = 0.5
_WHOLE = frozenset({"seed", "repeated", "exact"})


def most_to_be_believed(
    findings: Sequence[Finding | None],
    said: BlockStream,
    body: PageStream,
    strange: NDArray[np.bool_],
) -> float:
    """Give the highest score that a page may have.

    Args:
        findings: By block.
        said: The Markdown's text.
        body: The pages'.
        strange: Whether each page has text of which the Markdown knows nothing.

    Returns:
        1 if the text is the PDF's; less if it may be another's, or too little can be read to tell;
        0 if it is another's.
    """
    letters = len(said.codes)
    if not letters:
        return 1.0
    share = _found(findings, said) / letters
    if share >= _SAME_PDF:
        return 1.0
    # Strange pages may be another PDF's as well as garbled.
    readable = (np.diff(body.page_starts) >= _FEW_LETTERS) | strange
    if letters >= _LETTERS_TO_JUDGE and 2 * np.count_nonzero(readable) >= len(readable):
        return _DOUBT if share >= _OTHER_PDF else 0.0
    return 1.0 if _read(findings, body) else _DOUBT


def _found(findings: Sequence[Finding | None], said: BlockStream) -> float:
    """Count the letters of the Markdown that are found."""
    found = 0.0
    for finding, length in zip(findings, np.diff(said.starts).tolist(), strict=True):
        if finding is not None and finding.method in _WHOLE:
            found += finding.matched
        elif finding is not None and finding.method == "bag" and finding.share >= _MOST_WORDS:
            found += length * finding.share
    return found


def _read(findings: Sequence[Finding | None], body: PageStream) -> bool:
    """Whether the Markdown has most of what can be read, and that is enough to tell."""
    if len(body.codes) < _LETTERS_TO_JUDGE:
        return False
    is_found = np.zeros(len(body.codes), bool)
    for finding in findings:
        if finding is not None and finding.method in _WHOLE:
            for start, end in finding.stretches:
                is_found[start:end] = True
    return bool(is_found.mean() >= _READ_SHARE)
