"""Finds the page that each block of Markdown comes from. Pure: text in, blocks with pages out."""

from zhiyipdf.grounding.aligning import align
from zhiyipdf.grounding.marks import ground

__all__ = ["align", "ground"]
