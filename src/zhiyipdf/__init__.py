"""PDFs to RAG-ready documents."""

from zhiyipdf._version import __version__

__all__ = ["__version__"]
