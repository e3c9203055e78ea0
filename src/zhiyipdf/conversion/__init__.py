"""The one path of a PDF: planned in parts, each obtained, joined to one conversion."""

from zhiyipdf.conversion.path import ConversionPath

__all__ = ["ConversionPath"]
