"""PDFs as LlamaIndex documents: a reader, and the pages of the nodes that are made of them."""

try:
    import llama_index.core  # noqa: F401 - only to tell what is missing before anything needs it
except ImportError as error:
    raise ImportError(
        'the LlamaIndex reader needs llama-index-core: pip install "zhiyipdf[llama-index]"'
    ) from error

from zhiyipdf.llama_index.citing import CitationPostprocessor, PageCitations
from zhiyipdf.llama_index.doc2x import Doc2XReader
from zhiyipdf.llama_index.reader import ZhiyiPDFReader

__all__ = ["CitationPostprocessor", "Doc2XReader", "PageCitations", "ZhiyiPDFReader"]
