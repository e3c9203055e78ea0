"""Splits Markdown into blocks that know their exact place in the text."""

from zhiyipdf.markdown.blocks import split_blocks

__all__ = ["split_blocks"]
