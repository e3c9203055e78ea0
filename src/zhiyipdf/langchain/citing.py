"""Cites the chunks that a LangChain splitter made of our documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.documents import Document

from zhiyipdf.documents import PAGE_INDEX_KEY, page_index
from zhiyipdf.documents.citing import ChunkSearch, Citation, Span, citation, cited_metadata

__all__ = ["Citation", "cite", "with_citations"]

# TextSplitter(add_start_index=True) writes it; -1 where it did not find its own chunk.
_START_KEY = "start_index"


def cite(document: Document, chunk: Document | None = None) -> Citation:
    """Tell which page of the PDF a chunk comes from.

    Args:
        document: A document of ours, in any mode.
        chunk: What a splitter made of it. With ``add_start_index=True`` its place is certain;
            otherwise its text is looked for, and if that stands on several pages, the first is
            cited as an estimate. None: ``document`` is a chunk itself, for example one that a
            vector store found, and has its ``start_index``; or it is to be cited whole.

    Returns:
        The citation; ``str()`` of it reads ``paper.pdf, p. 17``. Without a page if that is unknown.

    Raises:
        ValueError: The document's metadata is not ours.
    """
    if chunk is None:
        return citation(document.metadata, [_own_span(document)])
    spans = _spans(ChunkSearch(document.page_content), chunk)
    return citation(document.metadata, spans)


def with_citations(documents: Iterable[Document], chunks: Iterable[Document]) -> list[Document]:
    """Give each chunk of documents of several pages the page keys of its own.

    Do this before the chunks are embedded: ``page_number``, ``page_label``, ``page`` and the others
    can be filtered on then, and ``page_starts`` takes no room in the vector store.

    Args:
        documents: Those that were split; documents of one page need not be among them.
        chunks: What a splitter made of them, in any order; its metadata as the splitter left it, or
            with more keys.

    Returns:
        New documents in the order of the chunks. A chunk that has one page already, or cannot be
        found in its document, keeps its metadata.

    Raises:
        ValueError: A document's metadata is not ours.
    """
    searches = {
        _key(document.metadata): ChunkSearch(document.page_content) for document in documents
    }
    cited = []
    for chunk in chunks:
        search = searches.get(_key(chunk.metadata))
        spans = [] if search is None else _spans(search, chunk)
        metadata = cited_metadata(chunk.metadata, spans)
        page = page_index(metadata)
        if page is not None:
            metadata[PAGE_INDEX_KEY] = page
        cited.append(Document(page_content=chunk.page_content, id=chunk.id, metadata=metadata))
    return cited


def _spans(search: ChunkSearch, chunk: Document) -> Sequence[Span]:
    return search.spans(chunk.page_content, near=_start(chunk))


def _own_span(chunk: Document) -> Span:
    """Give a chunk's place in its document; all of the text if it does not say."""
    text, start = chunk.page_content, _start(chunk) or 0
    begin = start + len(text) - len(text.lstrip())
    return begin, max(begin + len(text.strip()), begin + 1)


def _start(chunk: Document) -> int | None:
    """Read where a splitter says that a chunk begins; white space may stand there."""
    start = chunk.metadata.get(_START_KEY)
    return int(start) if isinstance(start, int | float) and start >= 0 else None


def _key(metadata: Mapping[str, Any]) -> tuple[Any, ...]:
    """Name the document that a chunk inherited its metadata from."""
    names = ("content_sha256", "variant", "page_number", "page_starts")
    return tuple(metadata.get(name) for name in names)
