"""Gives LlamaIndex nodes the pages of their own, in an ingestion pipeline or at query time."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any, cast

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import (
    BaseNode,
    Document,
    MetadataMode,
    NodeRelationship,
    NodeWithScore,
    QueryBundle,
    RelatedNodeInfo,
    TransformComponent,
)
from pydantic import Field, computed_field

from zhiyipdf.documents import TECHNICAL_KEYS
from zhiyipdf.documents.chunk_search import Span
from zhiyipdf.documents.citing import (
    check_document,
    cited_metadata,
    fingerprint_of,
    spans_alone,
    spans_within,
)
from zhiyipdf.documents.metadata import PAGE_STARTS_KEY

__all__ = ["CitationPostprocessor", "PageCitations"]

logger = logging.getLogger(__name__)


class PageCitations(TransformComponent):
    """Give each node the page keys of its own, before it is embedded.

    Setup:
        .. code-block:: python

            from llama_index.core.ingestion import IngestionPipeline
            from llama_index.core.node_parser import SentenceSplitter
            from zhiyipdf.llama_index import PageCitations, ZhiyiPDFReader

            documents = ZhiyiPDFReader(mode="single").load_data("paper.pdf")
            pipeline = IngestionPipeline(transformations=[SentenceSplitter(), PageCitations()])
            nodes = pipeline.run(documents=documents)  # each with page_number and page_label

    It may stand after one node parser or several, or between them; what is cut after it keeps the
    pages of the larger piece. Offsets that a second parser sets count from the node that it cut;
    they are believed only if the document's fingerprint agrees, or the nodes as a whole cover the
    document. Without the documents, a node that is too short to tell (under 335 characters after
    two parsers), or whose text was changed, gets no page rather than a wrong one, and a warning
    is logged; with ``documents`` it is found by its text.

    A node keeps its metadata if it has one page already, or is not cut from a document of ours.

    Args:
        documents: What was parsed, as the reader gave it. Optional; never dumped.
    """

    documents: list[Document] = Field(default_factory=list, exclude=True, repr=False)

    @computed_field  # type: ignore[prop-decorator] # mypy knows no property under a decorator
    @property
    def document_ids(self) -> list[str]:
        """Name the documents in dumps: a pipeline's cache must not answer for others."""
        return [document.node_id for document in self.documents]

    @classmethod
    def class_name(cls) -> str:
        """Name the class in dumps."""
        return "PageCitations"

    def __call__(
        self,
        nodes: Sequence[BaseNode],
        **kwargs: Any,  # noqa: ARG002 - LlamaIndex hands its own on
    ) -> Sequence[BaseNode]:
        """Give copies of the nodes that are cut from documents of several pages, else the nodes.

        Raises:
            ValueError: One of ``documents`` is not ours, or not as it was loaded.
        """
        places = _Places(nodes, self.documents)
        whole = places.covering()
        spans = [places.spans(node, whole) for node in nodes]
        cited = [_cited(node, own) for node, own in zip(nodes, spans, strict=True)]
        unknown = sum(
            after is not before and not own and "page_number" not in after.metadata
            for before, own, after in zip(nodes, spans, cited, strict=True)
        )
        if unknown and not self.documents:
            logger.warning(
                "%d of %d nodes get no page: nothing tells where in their document they stand."
                " PageCitations(documents=documents) looks for their text",
                unknown,
                len(nodes),
            )
        return cited


class CitationPostprocessor(BaseNodePostprocessor):
    """Give each node that a retriever found the page keys of its own.

    Setup:
        .. code-block:: python

            from zhiyipdf.llama_index import CitationPostprocessor

            engine = index.as_query_engine(node_postprocessors=[CitationPostprocessor()])

    For an index whose nodes were made without :class:`PageCitations`; what is said there of node
    parsers holds here too, but that the few nodes found cover no document: those of less than 143
    characters get no page without ``documents``. The index keeps its nodes as they are.

    Args:
        documents: What was parsed, as the reader gives it again. Optional; never dumped.
    """

    documents: list[Document] = Field(default_factory=list, exclude=True, repr=False)

    @classmethod
    def class_name(cls) -> str:
        """Name the class in dumps."""
        return "CitationPostprocessor"

    def _postprocess_nodes(
        self,
        nodes: list[NodeWithScore],
        query_bundle: QueryBundle | None = None,  # noqa: ARG002 - LlamaIndex hands it on
    ) -> list[NodeWithScore]:
        places = _Places([found.node for found in nodes], self.documents)
        return [
            NodeWithScore(node=_cited(found.node, places.spans(found.node)), score=found.score)
            for found in nodes
        ]


class _Places:
    """Tells where nodes stand in their documents.

    Args:
        nodes: All that are at hand: a hierarchical parser counts from parents that are among them.
        documents: Those of their documents that are at hand.

    Raises:
        ValueError: A document is not ours, or not as it was loaded.
    """

    def __init__(self, nodes: Sequence[BaseNode], documents: Iterable[Document]) -> None:
        self._nodes = {node.node_id: node for node in nodes}
        self._texts: dict[str, str] = {}
        for document in documents:
            text = _text(document)
            check_document(document.metadata, text)
            self._texts[document.node_id] = text

    def covering(self) -> frozenset[str]:
        """Name the documents that the nodes cover in one pass, so that their starts must be right.

        A parser's starts rise, to the end of what it cut. Those of a second parser in a row fall at
        each piece that it cut.
        """
        by_document: dict[str, list[BaseNode]] = {}
        for node in self._nodes.values():
            if node.ref_doc_id is not None and NodeRelationship.PARENT not in node.relationships:
                by_document.setdefault(node.ref_doc_id, []).append(node)
        return frozenset(name for name, nodes in by_document.items() if _cover(nodes))

    def spans(self, node: BaseNode, whole: Collection[str] = ()) -> Sequence[Span]:
        """Tell where a node may stand, white space at its ends left out; nowhere if unknown.

        Args:
            node: One of the nodes.
            whole: The documents of which all starts are right.
        """
        if isinstance(node, Document) or PAGE_STARTS_KEY not in node.metadata:
            return ()
        text, start = _text(node), self._start(node)
        document = self._texts.get(node.ref_doc_id or "")
        if document is not None:
            return spans_within(document, text, near=start)
        if start is not None and text.strip() and node.ref_doc_id in whole:
            begin = start + len(text) - len(text.lstrip())
            return [(begin, begin + len(text.strip()))]
        return spans_alone(node.metadata, text, near=start)

    def _start(self, node: BaseNode) -> int | None:
        """Tell where a node says it begins; a hierarchical parser counts from the parent."""
        start = _own_start(node)
        parent = node.relationships.get(NodeRelationship.PARENT)
        if start is None or not isinstance(parent, RelatedNodeInfo):
            return start
        above = self._nodes.get(parent.node_id)
        base = None if above is None else self._start(above)
        return None if base is None else base + start


def _cover(nodes: Sequence[BaseNode]) -> bool:
    """Tell if nodes of one document, in order, are what one parser made of all of it."""
    fingerprint = fingerprint_of(nodes[0].metadata)
    starts = [start for start in map(_own_start, nodes) if start is not None]
    if fingerprint is None or len(starts) < len(nodes):
        return False
    end = starts[-1] + len(_text(nodes[-1]).rstrip())
    return end == fingerprint.length and all(a < b for a, b in pairwise(starts))


def _cited(node: BaseNode, spans: Sequence[Span]) -> BaseNode:
    """Give a copy of a node with its pages; the node itself if there is nothing to tell."""
    if isinstance(node, Document):  # not cut yet
        return node
    metadata = cited_metadata(node.metadata, spans)
    if metadata == node.metadata:
        return node
    # What is new and technical is hidden from the models, as in the reader's documents.
    hidden = [key for key in metadata if key in TECHNICAL_KEYS and key not in node.metadata]
    return node.model_copy(
        update={
            "metadata": metadata,
            "excluded_embed_metadata_keys": [*node.excluded_embed_metadata_keys, *hidden],
            "excluded_llm_metadata_keys": [*node.excluded_llm_metadata_keys, *hidden],
        }
    )


def _own_start(node: BaseNode) -> int | None:
    return cast("int | None", getattr(node, "start_char_idx", None))


def _text(node: BaseNode) -> str:
    return node.get_content(metadata_mode=MetadataMode.NONE)
