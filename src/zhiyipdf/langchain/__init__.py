"""PDFs as LangChain documents: a loader, a blob parser, blobs from any fsspec URL, citations."""

try:
    import langchain_core  # noqa: F401 - only to tell what is missing before anything needs it
except ImportError as error:
    raise ImportError(
        'the LangChain loader needs langchain-core: pip install "zhiyipdf[langchain]"'
    ) from error

from zhiyipdf.langchain.blobs import FsspecBlob, FsspecBlobLoader
from zhiyipdf.langchain.citing import Citation, cite, with_citations
from zhiyipdf.langchain.doc2x import Doc2XLoader
from zhiyipdf.langchain.loader import ZhiyiPDFLoader
from zhiyipdf.langchain.parser import ZhiyiPDFParser

__all__ = [
    "Citation",
    "Doc2XLoader",
    "FsspecBlob",
    "FsspecBlobLoader",
    "ZhiyiPDFLoader",
    "ZhiyiPDFParser",
    "cite",
    "with_citations",
]
