"""Cites the chunks that a LangChain splitter made of our documents."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.documents import Document

from zhiyipdf.documents import PAGE_INDEX_KEY, page_index
from zhiyipdf.documents.chunk_search import Span
from zhiyipdf.documents.citing import (
    Citation,
    check_document,
    citation,
    cited_metadata,
    document_key,
    spans_alone,
    spans_within,
)
from zhiyipdf.documents.metadata import PAGE_STARTS_KEY

__all__ = ["Citation", "cite", "with_citations"]

logger = logging.getLogger(__name__)

# TextSplitter(add_start_index=True) writes it; -1 where it did not find its own chunk.
_START_KEY = "start_index"


def cite(document: Document, chunk: Document | None = None) -> Citation:
    """Tell which page of the PDF a chunk comes from.

    Args:
        document: A document of ours, in any mode, as it was loaded.
        chunk: What one splitter, or several in a row, made of it; its metadata does not matter.
            With the ``start_index`` of ``add_start_index=True`` its place is certain, if its text
            does stand there; otherwise its text is looked for, and if that stands on several pages,
            the first is cited as an estimate. None: ``document`` is a chunk itself, for example one
            that a vector store found, or it is to be cited whole. What its metadata inherited tells
            where it stands, or that this is unknown: a chunk shorter than 143 characters is known
            only with the document, one shorter than 335 with a right ``start_index`` too.

    Returns:
        The citation; ``str()`` of it reads ``paper.pdf, p. 17``. Without a page if that is unknown.

    Raises:
        ValueError: The document's metadata is not ours; its text was cut or changed since it was
            loaded; or the chunk's metadata says that it comes from another PDF.
    """
    if chunk is None:
        text, start = document.page_content, _start(document)
        return citation(document.metadata, spans_alone(document.metadata, text, near=start))
    check_document(document.metadata, document.page_content)
    _check_same_pdf(document, chunk)
    return citation(document.metadata, _spans(document, chunk, near=_start(chunk)))


def with_citations(documents: Iterable[Document], chunks: Iterable[Document]) -> list[Document]:
    """Give each chunk of documents of several pages the page keys of its own.

    Do this before the chunks are embedded: ``page_number``, ``page_label``, ``page`` and the others
    can be filtered on then, and ``page_starts`` takes no room in the vector store.

    Args:
        documents: Those that were split, as they were loaded. Documents of one page need not be
            among them; a chunk of another one that is not has a page only as :func:`cite` tells it
            of a chunk alone.
        chunks: What one splitter, or several in a row, made of them, in any order; their metadata
            as the splitter left it, or with more keys. A splitter that takes bare text leaves none:
            chunks without ``source`` are looked for if there is just one document, and get its
            metadata.

    Returns:
        New documents in the order of the chunks. A chunk that cannot be found in its document has
        no page; one that has a page already, or comes from elsewhere, keeps its metadata. If any
        has too little metadata to tell where it comes from, a warning is logged.

    Raises:
        ValueError: A document's metadata is not ours, or its text was cut or changed since it was
            loaded.
    """
    by_key: dict[tuple[Any, ...], Document] = {}
    for document in documents:
        check_document(document.metadata, document.page_content)
        by_key[document_key(document.metadata)] = document
    alone = next(iter(by_key.values())) if len(by_key) == 1 else None
    chunks = list(chunks)
    lost = _lost_track(by_key, chunks)
    cited, strays = [], 0
    for chunk in chunks:
        metadata, key = chunk.metadata, document_key(chunk.metadata)
        spans: Sequence[Span] = ()
        if key in by_key:
            if PAGE_STARTS_KEY in metadata:  # else its document is one page
                spans = _spans(by_key[key], chunk, near=None if key in lost else _start(chunk))
        elif metadata.get(PAGE_STARTS_KEY) is not None:
            spans = spans_alone(metadata, chunk.page_content, near=_start(chunk))
        elif "source" not in metadata:
            spans = [] if alone is None else _spans(alone, chunk)
            if alone is not None and spans:
                metadata = {**alone.metadata, **metadata}
            strays += not spans
        cited.append(_cited(chunk, metadata, spans))
    if strays:
        logger.warning(
            "%d of %d chunks have no metadata that tells which document they come from, and get no"
            " page: give them {**document.metadata, **chunk.metadata} first",
            strays,
            len(chunks),
        )
    return cited


def _cited(chunk: Document, metadata: Mapping[str, Any], spans: Sequence[Span]) -> Document:
    own = cited_metadata(metadata, spans)
    page = page_index(own)
    if page is not None:
        own[PAGE_INDEX_KEY] = page
    return Document(page_content=chunk.page_content, id=chunk.id, metadata=own)


def _lost_track(
    documents: Mapping[tuple[Any, ...], Document], chunks: Iterable[Document]
) -> set[tuple[Any, ...]]:
    """Tell for which documents the starts cannot be believed where a text stands several times.

    After a chunk that it did not find, a splitter looks for the next one from the front again; and
    a second splitter in a row counts from the piece that it cut.
    """
    lost = set()
    for chunk in chunks:
        key = document_key(chunk.metadata)
        if _START_KEY in chunk.metadata and key in documents and key not in lost:
            start, text = _start(chunk), documents[key].page_content
            if start is None or not text.startswith(chunk.page_content, start):
                lost.add(key)
    return lost


def _spans(document: Document, chunk: Document, *, near: int | None = None) -> Sequence[Span]:
    return spans_within(document.page_content, chunk.page_content, near=near)


def _start(chunk: Document) -> int | None:
    """Read where a splitter says that a chunk begins; white space may stand there."""
    start = chunk.metadata.get(_START_KEY)
    return int(start) if isinstance(start, int | float) and start >= 0 else None


def _check_same_pdf(document: Document, chunk: Document) -> None:
    hashes = [one.metadata.get("content_sha256") for one in (document, chunk)]
    if None not in hashes and hashes[0] != hashes[1]:
        source = chunk.metadata.get("source")
        raise ValueError(
            f"the chunk comes from another PDF, {source!r}: give the document it was cut from"
        )
