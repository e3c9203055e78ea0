"""Finds the page that each block of Markdown comes from. Pure: text in, blocks with pages out."""

from zhiyipdf.grounding.aligning import align
from zhiyipdf.grounding.layout import from_layout
from zhiyipdf.grounding.locating import ground

__all__ = ["align", "from_layout", "ground"]
