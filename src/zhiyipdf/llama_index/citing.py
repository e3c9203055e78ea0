"""Gives LlamaIndex nodes the pages of their own, in an ingestion pipeline or at query time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import (
    BaseNode,
    MetadataMode,
    NodeRelationship,
    NodeWithScore,
    QueryBundle,
    RelatedNodeInfo,
    TransformComponent,
)

from zhiyipdf.documents import TECHNICAL_KEYS
from zhiyipdf.documents.citing import Span, cited_metadata

__all__ = ["CitationPostprocessor", "PageCitations"]


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

    It stands right after the node parser that cuts our documents: offsets that a second parser in a
    row sets are no longer those of the document. What is cut again after it keeps the pages of the
    larger piece. :class:`HierarchicalNodeParser
    <llama_index.core.node_parser.HierarchicalNodeParser>` counts as one parser.

    A node keeps its metadata if it has one page already, or if its parser did not say where it
    stands (``start_char_idx``).
    """

    @classmethod
    def class_name(cls) -> str:
        """Name the class in dumps."""
        return "PageCitations"

    def __call__(
        self,
        nodes: Sequence[BaseNode],
        **kwargs: Any,  # noqa: ARG002 - LlamaIndex hands its own on
    ) -> Sequence[BaseNode]:
        """Give copies of the nodes that are cut from documents of several pages, else the nodes."""
        by_id = {node.node_id: node for node in nodes}
        return [_cited(node, by_id) for node in nodes]


class CitationPostprocessor(BaseNodePostprocessor):
    """Give each node that a retriever found the page keys of its own.

    Setup:
        .. code-block:: python

            from zhiyipdf.llama_index import CitationPostprocessor

            engine = index.as_query_engine(node_postprocessors=[CitationPostprocessor()])

    For an index whose nodes were made without :class:`PageCitations`; what is said there of node
    parsers holds here too. The index keeps its nodes as they are.
    """

    @classmethod
    def class_name(cls) -> str:
        """Name the class in dumps."""
        return "CitationPostprocessor"

    def _postprocess_nodes(
        self,
        nodes: list[NodeWithScore],
        query_bundle: QueryBundle | None = None,  # noqa: ARG002 - LlamaIndex hands it on
    ) -> list[NodeWithScore]:
        by_id = {found.node.node_id: found.node for found in nodes}
        return [NodeWithScore(node=_cited(found.node, by_id), score=found.score) for found in nodes]


def _cited(node: BaseNode, by_id: Mapping[str, BaseNode]) -> BaseNode:
    """Give a copy of a node with its pages; the node itself if there is nothing to tell."""
    metadata = cited_metadata(node.metadata, _spans(node, by_id))
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


def _spans(node: BaseNode, by_id: Mapping[str, BaseNode]) -> list[Span]:
    """Tell where a node stands in its document, white space at its ends left out."""
    start = _start(node, by_id)
    text = node.get_content(metadata_mode=MetadataMode.NONE)
    if start is None or not text.strip():
        return []
    begin = start + len(text) - len(text.lstrip())
    return [(begin, begin + len(text.strip()))]


def _start(node: BaseNode, by_id: Mapping[str, BaseNode]) -> int | None:
    """Tell where a node begins in its document; a hierarchical parser counts from the parent."""
    start = cast("int | None", getattr(node, "start_char_idx", None))
    parent = node.relationships.get(NodeRelationship.PARENT)
    if start is None or not isinstance(parent, RelatedNodeInfo):
        return start
    above = by_id.get(parent.node_id)
    base = None if above is None else _start(above, by_id)
    return None if base is None else base + start
