"""Nodes that LlamaIndex's own parsers make get their pages."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import (
    HierarchicalNodeParser,
    MarkdownNodeParser,
    SentenceSplitter,
    SentenceWindowNodeParser,
    TokenTextSplitter,
)
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import (
    BaseNode,
    Document,
    MetadataMode,
    NodeWithScore,
    TextNode,
    TransformComponent,
)

from support.conversions import blocks, conversion, on
from zhiyipdf.documents import make_records
from zhiyipdf.llama_index import CitationPostprocessor, PageCitations
from zhiyipdf.llama_index.documents import document_of

PARSERS = [
    SentenceSplitter(chunk_size=120, chunk_overlap=20),
    TokenTextSplitter(chunk_size=120, chunk_overlap=0),
    MarkdownNodeParser(),
    HierarchicalNodeParser.from_defaults(chunk_sizes=[400, 120], chunk_overlap=0),
]


def paper(**options: Any) -> list[Document]:
    """Documents of a paper whose words name their page; the last page is labelled A-1."""
    pieces: list[tuple[Any, ...]] = []
    for page in range(1, 9):
        words = " ".join(f"word{page}x{n}." for n in range(30))
        pieces += [
            ("heading", f"# Part {page}\n\n", on(page)),
            ("paragraph", f"{words}\n\n", on(page, source="aligned", score=0.9)),
        ]
    labels = [*map(str, range(1, 8)), "A-1"]
    made = conversion(blocks(*pieces), pages=8, labels=labels)
    return [document_of(record, None) for record in make_records(made, **options)]


def pages_in(node: BaseNode) -> set[int]:
    text = node.get_content(metadata_mode=MetadataMode.NONE)
    return {int(w.split("x")[0].removeprefix("word")) for w in text.split() if "word" in w[:4]}


def assert_pages_are_right(node: BaseNode) -> None:
    named = pages_in(node)
    first = node.metadata["page_number"]
    assert node.metadata["page_label"] == ("A-1" if first == 8 else str(first))
    assert (node.metadata["page_source"], node.metadata["page_score"]) == ("aligned", 0.9)
    if named:
        assert first <= min(named)
        assert node.metadata.get("page_number_end", first) >= max(named)
        assert node.metadata.get("page_number_end", first) - first <= max(named) - min(named) + 1
    assert not {"page_starts", "text_fingerprint"} & node.metadata.keys()
    assert ("page_labels" in node.metadata) == (node.metadata.get("page_number_end") == 8)


def assert_no_page_is_wrong(node: BaseNode) -> bool:
    """Tell if the node has a page, too."""
    assert not {"page_starts", "text_fingerprint"} & node.metadata.keys()
    if "page_number" not in node.metadata:
        assert node.metadata["page_source"] == "none"
        return False
    named, first = pages_in(node), node.metadata["page_number"]
    last = node.metadata.get("page_number_end", first)
    if named:
        assert first <= min(named) <= max(named) <= last <= max(named) + 1
    return True


def shown(node: BaseNode) -> str:
    modes = (MetadataMode.EMBED, MetadataMode.LLM)
    return "".join(node.get_metadata_str(mode=mode) for mode in modes)


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.class_name())
def test_a_pipeline_gives_each_node_its_pages(parser: TransformComponent) -> None:
    pipeline = IngestionPipeline(transformations=[parser, PageCitations()])
    nodes = pipeline.run(documents=paper(mode="single"))
    assert len(nodes) >= 8
    for node in nodes:
        assert_pages_are_right(node)
        assert "page_label" in shown(node)
        assert "page_score" not in shown(node)
        assert "page_number_end" not in shown(node)


async def test_an_asynchronous_pipeline_does_the_same() -> None:
    pipeline = IngestionPipeline(transformations=[PARSERS[0], PageCitations()])
    for node in await pipeline.arun(documents=paper(mode="single")):
        assert_pages_are_right(node)


def test_nodes_that_a_retriever_found_get_their_pages_and_the_index_stays_as_it_is() -> None:
    nodes = PARSERS[0].get_nodes_from_documents(paper(mode="single"))
    index = VectorStoreIndex(nodes, embed_model=MockEmbedding(embed_dim=8))
    found = index.as_retriever(similarity_top_k=5).retrieve("word")
    before = [node.model_copy(deep=True) for node in nodes]
    cited = CitationPostprocessor().postprocess_nodes(found)
    assert [(c.node.node_id, c.score) for c in cited] == [(f.node.node_id, f.score) for f in found]
    for one in cited:
        assert_pages_are_right(one.node)
    assert nodes == before
    assert CitationPostprocessor().postprocess_nodes(cited) == cited


async def test_the_postprocessor_works_without_blocking_too() -> None:
    nodes = PARSERS[0].get_nodes_from_documents(paper(mode="single"))
    found = [NodeWithScore(node=node, score=1.0) for node in nodes]
    for one in await CitationPostprocessor().apostprocess_nodes(found):
        assert_pages_are_right(one.node)


def test_where_pages_begin_is_shown_to_no_model() -> None:
    (document,) = paper(mode="single")
    assert document.metadata["page_starts"]
    assert document.metadata["page_labels"]
    for node in PARSERS[0].get_nodes_from_documents([document]):
        assert "page_starts" in node.metadata
        assert "page_starts" not in shown(node)
        assert "page_labels" not in shown(node)


def test_nodes_of_one_page_and_foreign_nodes_stay_as_they_are() -> None:
    pages = PARSERS[0].get_nodes_from_documents(paper(mode="page"))
    nodes = [*pages, TextNode(text="x"), Document(text="y"), *paper(mode="single")]
    assert [a is b for a, b in zip(PageCitations()(nodes), nodes, strict=True)] == [True] * len(
        nodes
    )


def test_a_child_whose_parent_is_not_there_gets_no_page_rather_than_a_wrong_one() -> None:
    nodes = PARSERS[3].get_nodes_from_documents(paper(mode="single"))
    child = nodes[-1]
    (cited,) = CitationPostprocessor().postprocess_nodes([NodeWithScore(node=child, score=1.0)])
    assert "page_number" not in cited.node.metadata


SMALL = SentenceSplitter(chunk_size=100, chunk_overlap=10)
TWO_PARSERS: dict[str, list[TransformComponent]] = {
    "headings, sentences": [MarkdownNodeParser(), SMALL],
    "sentences twice": [SentenceSplitter(chunk_size=400, chunk_overlap=0), SMALL],
    "tokens, sentences": [TokenTextSplitter(chunk_size=400, chunk_overlap=0), SMALL],
    "headings, hierarchy": [MarkdownNodeParser(), PARSERS[3]],
    "hierarchy, sentences": [PARSERS[3], SMALL],
    "headings, windows": [MarkdownNodeParser(), SentenceWindowNodeParser()],
}


@pytest.mark.parametrize("parsers", TWO_PARSERS)
def test_after_two_parsers_a_node_has_the_right_page_or_none_and_that_is_said(
    parsers: str, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = IngestionPipeline(transformations=[*TWO_PARSERS[parsers], PageCitations()])
    nodes = pipeline.run(documents=paper(mode="single"))
    known = [assert_no_page_is_wrong(node) for node in nodes]
    assert len(nodes) >= 19
    unknown = known.count(False)
    assert (f"{unknown} of {len(nodes)} nodes get no page" in caplog.text) == (unknown > 0)


@pytest.mark.parametrize("parsers", TWO_PARSERS)
def test_after_two_parsers_each_node_is_found_in_documents_that_are_given(
    parsers: str, caplog: pytest.LogCaptureFixture
) -> None:
    documents = paper(mode="single")
    citations = PageCitations(documents=documents)
    pipeline = IngestionPipeline(transformations=[*TWO_PARSERS[parsers], citations])
    for node in pipeline.run(documents=documents):
        assert assert_no_page_is_wrong(node)
    assert "no page" not in caplog.text


@pytest.mark.parametrize("parsers", TWO_PARSERS)
def test_a_retrieved_node_of_two_parsers_has_the_right_page_or_none(parsers: str) -> None:
    documents = paper(mode="single")
    nodes = IngestionPipeline(transformations=TWO_PARSERS[parsers]).run(documents=documents)
    for node in nodes:
        one = [NodeWithScore(node=node, score=1.0)]
        (alone,) = CitationPostprocessor().postprocess_nodes(one)
        assert_no_page_is_wrong(alone.node)
        (beside,) = CitationPostprocessor(documents=documents).postprocess_nodes(one)
        assert assert_no_page_is_wrong(beside.node)


def test_long_nodes_of_two_parsers_are_found_without_their_document() -> None:
    parsers = [
        SentenceSplitter(chunk_size=900, chunk_overlap=0),
        SentenceSplitter(chunk_size=260, chunk_overlap=0),
    ]
    nodes = IngestionPipeline(transformations=[*parsers, PageCitations()]).run(
        documents=paper(mode="single")
    )
    long = [n for n in nodes if len(n.get_content(metadata_mode=MetadataMode.NONE)) >= 335]
    assert len(long) >= 5
    assert all(assert_no_page_is_wrong(node) for node in long)


def test_between_two_parsers_pages_are_those_of_the_larger_piece() -> None:
    transformations = [MarkdownNodeParser(), PageCitations(), SMALL]
    for node in IngestionPipeline(transformations=transformations).run(
        documents=paper(mode="single")
    ):
        assert assert_no_page_is_wrong(node)


def test_short_nodes_that_cover_their_document_are_believed() -> None:
    nodes = SentenceWindowNodeParser().get_nodes_from_documents(paper(mode="single"))
    cited = PageCitations()(nodes)
    assert max(len(node.get_content(metadata_mode=MetadataMode.NONE)) for node in cited) < 143
    assert all(assert_no_page_is_wrong(node) for node in cited)
    assert not any(assert_no_page_is_wrong(node) for node in PageCitations()(nodes[:-1]))


def test_documents_that_are_not_cut_yet_stay_as_they_are() -> None:
    documents = paper(mode="single")
    assert PageCitations()(documents) == documents


def test_documents_that_were_changed_or_are_foreign_are_refused() -> None:
    (document,) = paper(mode="single")
    changed = document.model_copy(deep=True)
    changed.set_content("x" + document.text)
    with pytest.raises(ValueError, match="cut or changed since"):
        PageCitations(documents=[changed])([])
    with pytest.raises(ValueError, match="source and page_source missing"):
        CitationPostprocessor(documents=[Document(text="x")]).postprocess_nodes([])


def test_documents_are_not_dumped_but_a_pipelines_cache_tells_them_apart() -> None:
    documents = paper(mode="single")
    with_documents = PageCitations(documents=documents)
    assert "word1x1" not in with_documents.to_json() + repr(with_documents)
    assert with_documents.to_dict() != PageCitations().to_dict()
    assert PageCitations.from_dict(with_documents.to_dict()).documents == []
    assert pickle.loads(pickle.dumps(with_documents)).documents == documents
    parsers = TWO_PARSERS["headings, sentences"]
    pipeline = IngestionPipeline(transformations=[*parsers, PageCitations()])
    before = pipeline.run(documents=documents)
    pipeline.transformations[-1] = with_documents
    after = pipeline.run(documents=documents)
    assert sum(map(assert_no_page_is_wrong, before)) < len(after)
    assert all(map(assert_no_page_is_wrong, after))


@pytest.mark.parametrize("component", [PageCitations(), CitationPostprocessor()])
def test_components_are_what_llama_index_expects(component: Any) -> None:
    assert isinstance(component, TransformComponent | BaseNodePostprocessor)
    assert json.loads(component.to_json())["class_name"] == type(component).__name__
    copy = pickle.loads(pickle.dumps(component))
    assert copy.to_dict() == component.to_dict()


def test_pages_survive_a_pipelines_cache() -> None:
    pipeline = IngestionPipeline(transformations=[PARSERS[0], PageCitations()])
    first = pipeline.run(documents=paper(mode="single"))
    again = pipeline.run(documents=paper(mode="single"))
    assert [n.metadata for n in again] == [n.metadata for n in first]
