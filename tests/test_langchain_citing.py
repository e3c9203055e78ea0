"""Chunks that LangChain's own splitters make are cited with their pages."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_text_splitters import (
    CharacterTextSplitter,
    MarkdownHeaderTextSplitter,
    MarkdownTextSplitter,
    RecursiveCharacterTextSplitter,
    TextSplitter,
    TokenTextSplitter,
)

import zhiyipdf
from support.conversions import asset, blocks, conversion, on
from zhiyipdf.documents import make_records
from zhiyipdf.langchain import Citation, cite, with_citations
from zhiyipdf.langchain.documents import document_of
from zhiyipdf.models import Conversion


def paper(pages: int = 12) -> Conversion:
    """Each page has a heading, a picture and a paragraph of words that name the page."""
    pieces: list[tuple[Any, ...]] = []
    for page in range(1, pages + 1):
        words = " ".join(f"word{page}x{n}." for n in range(40))
        pieces += [
            ("heading", f"# Part {page}.\n\n", on(page)),
            ("image", f"![Figure {page}](images/{page}-1.png)\n\n", on(page)),
            ("paragraph", f"{words}\n\n", on(page)),
        ]
    pictures = [asset(f"images/{page}-1.png", str(page).encode()) for page in range(1, pages + 1)]
    return conversion(blocks(*pieces), pages=pages, assets=pictures)


def documents_of(made: Conversion, **options: Any) -> list[Document]:
    uris = {a.name: f"s3://a-bucket-with-a-long-name/{a.sha256}.png" for a in made.assets}
    return [document_of(record) for record in make_records(made, uris=uris, **options)]


def pages_in(text: str) -> set[int]:
    """Which pages the words of a text name."""
    return {
        int(word.split("x")[0].removeprefix("word")) for word in text.split() if "word" in word[:4]
    }


SPLITTERS: list[type[TextSplitter]] = [
    RecursiveCharacterTextSplitter,
    MarkdownTextSplitter,
    CharacterTextSplitter,
]


@pytest.mark.parametrize("splitter", SPLITTERS)
@pytest.mark.parametrize("add_start_index", [True, False])
@pytest.mark.parametrize("images", ["reference", "drop"])
def test_a_chunk_of_any_splitter_is_cited_with_its_pages(
    splitter: type[TextSplitter], add_start_index: bool, images: str
) -> None:
    (document,) = documents_of(paper(), mode="single", images=images)
    split = splitter(chunk_size=300, chunk_overlap=60, add_start_index=add_start_index)
    chunks = split.split_documents([document])
    assert len(chunks) >= 12
    for chunk in chunks:
        found = cite(document, chunk)
        named = pages_in(chunk.page_content)
        assert found.page_source == "exact"
        if named:
            assert found.page_number is not None
            assert found.page_number <= min(named)
            assert (found.page_number_end or found.page_number) >= max(named)
        if len(named) == 1 and "#" not in chunk.page_content:
            assert str(found) == f"paper.pdf, p. {named.pop()}"


def test_a_chunk_that_a_store_found_is_cited_without_its_document() -> None:
    (document,) = documents_of(paper(), mode="single", metadata_style="flat")
    split = RecursiveCharacterTextSplitter(chunk_size=300, chunk_overlap=0, add_start_index=True)
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    store.add_documents(split.split_documents([document]))
    found = store.similarity_search("word", k=40)
    told = [chunk for chunk in found if len(chunk.page_content) >= 143]
    assert len(told) >= 12
    for chunk in told:
        assert cite(chunk) == cite(document, chunk)


def sections_of(document: Document, **options: Any) -> list[Document]:
    """Cut by headings; the metadata copied, as one has to with that splitter."""
    parts = MarkdownHeaderTextSplitter([("#", "part")], **options).split_text(document.page_content)
    for part in parts:
        part.metadata = {**document.metadata, **part.metadata}
    return parts


TWO_SPLITTERS: list[tuple[Any, ...]] = [
    ("headings", sections_of),
    ("headings kept", lambda document: sections_of(document, strip_headers=False)),
    (
        "characters",
        RecursiveCharacterTextSplitter(
            chunk_size=900, chunk_overlap=0, add_start_index=True
        ).split_documents,
    ),
]


def cut_twice(document: Document, first: str, size: int, *, index: bool = True) -> list[Document]:
    cut = dict(TWO_SPLITTERS)[first]
    parts = cut([document]) if first == "characters" else cut(document)
    return RecursiveCharacterTextSplitter(
        chunk_size=size, chunk_overlap=20, add_start_index=index
    ).split_documents(parts)


def assert_no_page_is_wrong(chunk: Document, found: Citation, *, known: bool) -> None:
    named = pages_in(chunk.page_content)
    if known:
        assert found.page_number is not None
    if found.page_number is not None and named:
        assert found.page_number <= min(named)
        assert (found.page_number_end or found.page_number) >= max(named)


@pytest.mark.parametrize("size", [80, 200, 500])
@pytest.mark.parametrize("first", dict(TWO_SPLITTERS))
def test_a_chunk_of_two_splitters_in_a_row_has_the_right_page_or_none(
    first: str, size: int
) -> None:
    (document,) = documents_of(paper(40), mode="single")
    chunks = cut_twice(document, first, size)
    assert len(chunks) > 40
    for chunk, cited in zip(chunks, with_citations([document], chunks), strict=True):
        assert_no_page_is_wrong(chunk, cite(chunk), known=False)
        assert_no_page_is_wrong(chunk, cite(document, chunk), known=True)
        assert_no_page_is_wrong(chunk, cite(cited), known=True)
        assert "page_starts" not in cited.metadata


def test_a_long_chunk_of_two_splitters_is_found_without_its_document() -> None:
    (document,) = documents_of(paper(40), mode="single")
    chunks = [c for c in cut_twice(document, "characters", 450) if len(c.page_content) >= 335]
    assert len(chunks) > 30
    for chunk in chunks:
        assert cite(chunk) == cite(document, chunk)


@pytest.mark.parametrize("size", [80, 300])
def test_a_chunk_alone_without_a_start_index_has_the_right_page_or_none(size: int) -> None:
    (document,) = documents_of(paper(40), mode="single")
    split = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=0)
    for chunk in split.split_documents([document]):
        assert_no_page_is_wrong(chunk, cite(chunk), known=False)
        if size < 143:
            assert str(cite(chunk)) == "paper.pdf"


@pytest.mark.parametrize("overlap", [0, 10])
def test_a_chunk_cut_by_tokens_is_cited_with_its_pages(
    overlap: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # LlamaIndex brings this encoding along; tiktoken would fetch it.
    core = importlib.util.find_spec("llama_index.core")
    assert core is not None
    assert core.origin is not None
    cache = Path(core.origin).parent / "_static" / "tiktoken_cache"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(cache))
    split = TokenTextSplitter(
        encoding_name="cl100k_base", chunk_size=40, chunk_overlap=overlap, add_start_index=True
    )
    pieces = [("paragraph", f"{chr(0x4E00 + n)}龘靐齉" * 30 + "\n\n", on(n)) for n in range(1, 30)]
    made = conversion(blocks(*pieces), pages=30)
    (document,) = documents_of(made, mode="single")
    chunks = split.split_documents([document])
    assert any("\ufffd" in chunk.page_content for chunk in chunks)
    for chunk in chunks:
        named = {ord(c) - 0x4E00 for c in chunk.page_content if 0x4E00 < ord(c) < 0x4E00 + 30}
        for told in (cite(document, chunk), cite(with_citations([document], [chunk])[0])):
            assert told.page_number is not None
            assert told.page_number in {min(named), min(named) - 1}  # words of it may be in front
            assert (told.page_number_end or told.page_number) == max(named)


def test_a_heading_splitter_that_drops_characters_and_headings_costs_no_page() -> None:
    words = [f"word{page}x{n}." for page in (1, 2, 3) for n in range(9)]
    made = conversion(
        blocks(
            ("paragraph", f"نیم\u200cفاصله {' '.join(words[:9])} \ue001\n\n", on(1)),
            ("heading", "## Notes\n\n", on(2)),
            ("paragraph", f"{' '.join(words[9:18])}\n\n", on(2)),
            ("heading", "## Notes\n\n", on(3)),
            ("paragraph", f"so\u00adft {' '.join(words[18:])}", on(3)),
        )
    )
    (document,) = documents_of(made, mode="single")
    split = MarkdownHeaderTextSplitter([("##", "notes")])
    first, merged = split.split_text(document.page_content)
    assert str(cite(document, first)) == "paper.pdf, p. 1"
    assert str(cite(document, merged)) == "paper.pdf, pp. 2–3"


def test_a_chunk_whose_document_is_not_given_is_cited_as_if_alone() -> None:
    (document,) = documents_of(paper(), mode="single")
    split = RecursiveCharacterTextSplitter(chunk_size=200, chunk_overlap=0, add_start_index=True)
    chunks = split.split_documents([document])
    for chunk, cited in zip(chunks, with_citations([], chunks), strict=True):
        assert str(cite(cited)) == str(cite(chunk))
        assert "page_starts" not in cited.metadata


def test_chunks_of_bare_text_get_the_metadata_of_the_one_document() -> None:
    (document,) = documents_of(paper(), mode="single")
    raw = MarkdownHeaderTextSplitter([("#", "part")]).split_text(document.page_content)
    for page, chunk in enumerate(with_citations([document], raw), 1):
        assert chunk.metadata["part"] == f"Part {page}."
        assert str(cite(chunk)) == f"paper.pdf, p. {page}"
        assert "page_starts" not in chunk.metadata


def test_chunks_of_bare_text_of_several_documents_stay_as_they_are_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pages = documents_of(paper())
    raw = [Document(page_content="word7x3. word7x4.")]
    assert with_citations(pages, raw) == raw
    assert "1 of 1 chunks have no metadata" in caplog.text
    assert "{**document.metadata, **chunk.metadata}" in caplog.text


def test_a_chunk_without_metadata_cannot_be_cited_alone() -> None:
    with pytest.raises(ValueError, match=r"source and page_source missing.*document\.metadata"):
        cite(Document(page_content="x"))
    with pytest.raises(ValueError, match="source and page_source missing"):
        cite(Document(page_content="x", metadata={"page_starts": "oops"}))


def test_a_piece_in_place_of_its_document_is_refused() -> None:
    (document,) = documents_of(paper(), mode="single")
    section = sections_of(document)[4]
    for refused in (
        lambda: cite(section, section),
        lambda: with_citations([section], [section]),
    ):
        with pytest.raises(ValueError, match="cut or changed since"):
            refused()


def test_a_chunk_of_another_pdf_is_refused() -> None:
    (document,) = documents_of(paper(), mode="single")
    other = conversion(blocks(("paragraph", "word7x3.", on(1))), sha256="cd" * 32, uri="b.pdf")
    with pytest.raises(ValueError, match=r"another PDF, 'b\.pdf'"):
        cite(document, documents_of(other)[0])


def test_text_that_stands_on_several_pages_is_an_estimate_where_starts_cannot_be_right() -> None:
    pieces = [
        block
        for page in range(1, 9)
        for block in (
            ("heading", f"# Part {page}\n\n", on(page)),
            ("paragraph", "The same words stand on each page.\n\n", on(page)),
        )
    ]
    (document,) = documents_of(conversion(blocks(*pieces), pages=8), mode="single")
    chunks = RecursiveCharacterTextSplitter(
        chunk_size=40, chunk_overlap=0, add_start_index=True
    ).split_documents(sections_of(document))
    assert {chunk.metadata["start_index"] for chunk in chunks} == {0}
    for chunk in with_citations([document], chunks):
        assert chunk.metadata["page_source"] == "estimated"
    true_starts = RecursiveCharacterTextSplitter(
        chunk_size=40, chunk_overlap=0, add_start_index=True
    ).split_documents([document])
    assert [cite(document, c).page_number for c in true_starts if "same" in c.page_content] == [
        *range(1, 9)
    ]


def test_a_chunk_cut_twice_is_found_by_its_text() -> None:
    (document,) = documents_of(paper(), mode="single")
    sections = MarkdownHeaderTextSplitter([("#", "part")]).split_text(document.page_content)
    split = RecursiveCharacterTextSplitter(chunk_size=150, chunk_overlap=0, add_start_index=True)
    for chunk in split.split_documents(sections):
        part = int(chunk.metadata["part"].strip("Part ."))
        assert cite(document, chunk).page_number == part


def test_a_start_index_that_is_wrong_does_no_harm() -> None:
    (document,) = documents_of(paper(), mode="single")
    for start_index in (-1, 0, 10**9):
        chunk = Document(page_content="word7x3. word7x4.", metadata={"start_index": start_index})
        assert cite(document, chunk).page_number == 7


def test_a_chunk_of_another_document_has_no_page() -> None:
    (document,) = documents_of(paper(), mode="single")
    assert cite(document, Document(page_content="Never said.")) == Citation(
        source="papers/paper.pdf", file_name="paper.pdf"
    )


def test_a_document_is_cited_whole() -> None:
    (document,) = documents_of(paper(), mode="single")
    assert str(cite(document)) == "paper.pdf, pp. 1–12"
    assert str(cite(documents_of(paper())[4])) == "paper.pdf, p. 5"
    assert str(cite(documents_of(conversion(blocks(("paragraph", "a"))))[0])) == "paper.pdf"


def test_a_chunk_of_a_page_is_cited_with_the_next_one_only_if_it_runs_on_to_it() -> None:
    made = conversion(
        blocks(
            ("paragraph", "Early words.\n\n", on(1)),
            ("paragraph", "Late words.\n\n", on(1, 2)),
            ("paragraph", "Next.", on(2)),
        )
    )
    page, _ = documents_of(made)
    split = RecursiveCharacterTextSplitter(chunk_size=15, chunk_overlap=0, add_start_index=True)
    early, late = split.split_documents([page])
    assert str(cite(page, early)) == "paper.pdf, p. 1"
    assert str(cite(page, late)) == "paper.pdf, pp. 1–2"


@pytest.mark.parametrize("add_start_index", [True, False])
def test_chunks_get_their_pages_before_they_are_embedded(add_start_index: bool) -> None:
    documents = documents_of(paper(), mode="single")
    split = RecursiveCharacterTextSplitter(
        chunk_size=150, chunk_overlap=0, add_start_index=add_start_index
    )
    chunks = split.split_documents(documents)
    cited = with_citations(documents, reversed(chunks))
    assert [c.page_content for c in cited] == [c.page_content for c in reversed(chunks)]
    for chunk in cited:
        found = cite(chunk)
        assert chunk.metadata["page_number"] == found.page_number
        assert chunk.metadata["page"] == found.page_number - 1 if found.page_number else False
        assert chunk.metadata["page_label"] == str(found.page_number)
        assert "page_starts" not in chunk.metadata
        json.dumps(chunk.metadata)
    assert "page_starts" in chunks[0].metadata


def test_chunks_of_pages_and_foreign_chunks_stay_as_they_are() -> None:
    pages = documents_of(paper())
    chunks = [*pages, Document(page_content="x", metadata={"a": 1}, id="7")]
    assert with_citations(pages, chunks) == chunks


def test_two_variants_of_a_pdf_are_told_apart() -> None:
    options = zhiyipdf.ParseOptions(translate_to="en", variants=("original", "translated"))
    made = conversion(
        blocks(("paragraph", "same\n\n", on(1)), ("paragraph", "other", on(2))),
        translated=blocks(("paragraph", "new\n\n", on(1)), ("paragraph", "same", on(2))),
        options=options,
    )
    documents = documents_of(made, mode="single")
    split = CharacterTextSplitter(chunk_size=5, chunk_overlap=0)
    cited = with_citations(documents, split.split_documents(documents))
    assert [(c.page_content, c.metadata["page_number"]) for c in cited] == [
        ("same", 1),
        ("other", 2),
        ("new", 1),
        ("same", 2),
    ]


def test_cite_is_a_public_name() -> None:
    assert zhiyipdf.cite is cite


@settings(max_examples=30, deadline=None)
@given(size=st.integers(5, 400), overlap=st.integers(0, 4))
def test_chunks_of_any_size_are_cited_with_the_pages_of_their_characters(
    size: int, overlap: int
) -> None:
    made = paper(5)
    document = document_of(next(make_records(made, mode="single")))
    split = RecursiveCharacterTextSplitter(
        chunk_size=size, chunk_overlap=overlap, add_start_index=True
    )
    for chunk in split.split_documents([document]):
        start = document.page_content.find(chunk.page_content)
        if document.page_content.count(chunk.page_content) > 1:
            continue
        found = cite(document, chunk)
        pages = made.pages_of(start, start + len(chunk.page_content))
        assert (found.page_number, found.page_number_end or found.page_number) == pages
