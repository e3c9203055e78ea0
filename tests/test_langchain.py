from __future__ import annotations

import hashlib
import json
import pickle
import threading
from collections.abc import AsyncGenerator, Generator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from langchain_core.document_loaders import BaseBlobParser, BaseLoader, Blob, BlobLoader
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_text_splitters import RecursiveCharacterTextSplitter
from pydantic import SecretStr

from support.s3 import S3
from support.scripts import run_script
from zhiyipdf import Converter, FsspecBlobLoader, ZhiyiPDFLoader, ZhiyiPDFParser
from zhiyipdf.errors import AuthenticationError, EncryptedPDF, NotAPDF

KEY = "sk-very-secret"
LAND = "loc_land_ownership_5p.pdf"
SLIDES = "upstage_ai_packs_slides_4p.pdf"


@pytest.fixture
def options(shared_store: str) -> dict[str, Any]:
    return {"base_url": "local", "store": shared_store}


def add_up(documents: list[Document]) -> str:
    return "".join(document.page_content for document in documents)


# --- without converting anything ----------------------------------------------------------------


def test_it_is_what_langchain_expects() -> None:
    assert issubclass(ZhiyiPDFLoader, BaseLoader)
    assert issubclass(ZhiyiPDFParser, BaseBlobParser)
    assert issubclass(FsspecBlobLoader, BlobLoader)
    # "load is provided just for user convenience and should not be overridden"
    assert ZhiyiPDFLoader.load is BaseLoader.load
    assert ZhiyiPDFLoader.aload is BaseLoader.aload


def test_lazy_really_is() -> None:
    loader = ZhiyiPDFLoader("/no/such/file.pdf", api_key=KEY)
    assert isinstance(loader.lazy_load(), Generator)
    assert isinstance(loader.alazy_load(), AsyncGenerator)
    assert loader.report.sources == ()


@pytest.mark.parametrize("option", [{"mode": "pages"}, {"images": "x"}, {"variants": "bilingual"}])
def test_options_are_refused_when_the_loader_is_made(option: dict[str, Any]) -> None:
    for make in (lambda: ZhiyiPDFLoader("a.pdf", **option), lambda: ZhiyiPDFParser(**option)):
        with pytest.raises(ValueError, match=next(iter(option))):
            make()


@pytest.mark.parametrize("api_key", [KEY, SecretStr(KEY), [KEY, "sk-other"]])
def test_keys_stand_in_no_repr(api_key: Any) -> None:
    shown = [
        ZhiyiPDFLoader("paper.pdf", api_key=api_key, storage_options={"secret": KEY}),
        ZhiyiPDFLoader("sftp://me:sk-very-secret@host/a.pdf"),
        ZhiyiPDFLoader(KEY.encode()),
        ZhiyiPDFParser(api_key=api_key),
        FsspecBlobLoader("sftp://me:sk-very-secret@host/", storage_options={"secret": KEY}),
    ]
    assert KEY not in repr(shown)
    assert "paper.pdf" in repr(shown[0])


def test_it_can_be_pickled_before_use(pdf_dir: Path, options: dict[str, Any]) -> None:
    loader = ZhiyiPDFLoader(str(pdf_dir / "jo.pdf"), mode="single", **options)
    copy = pickle.loads(pickle.dumps(loader))
    assert copy.load() == loader.load()
    assert pickle.loads(pickle.dumps(loader)).load() == loader.load()


def test_without_a_key_the_error_says_what_to_do(pdf_dir: Path) -> None:
    with pytest.raises(AuthenticationError, match="ZHIYIPDF_API_KEY"):
        ZhiyiPDFLoader(pdf_dir / "jo.pdf", store=False).load()


def test_without_langchain_the_error_names_the_pip_line() -> None:
    script = (
        "import sys; sys.modules['langchain_core'] = None\n"
        "import zhiyipdf\n"
        "try:\n    zhiyipdf.ZhiyiPDFLoader\n"
        "except ImportError as error:\n    print(error)"
    )
    shown = run_script(script)
    assert 'pip install "zhiyipdf[langchain]"' in shown.stdout


# --- on the embedded server ---------------------------------------------------------------------


def test_a_pdf_becomes_a_document_for_each_page(pdf_dir: Path, options: dict[str, Any]) -> None:
    path = pdf_dir / "jo.pdf"
    (document,) = ZhiyiPDFLoader(path, **options).load()
    assert document.id is not None
    assert document.page_content
    assert document.metadata["source"] == str(path)
    assert document.metadata["file_name"] == "jo.pdf"
    assert document.metadata["total_pages"] == 1
    assert document.metadata["content_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (document.metadata["page"], document.metadata["page_number"]) == (0, 1)
    assert document.metadata["page_label"] == "1"


@pytest.mark.parametrize("mode", ["single", "page", "block"])
async def test_all_four_ways_to_load_give_equal_documents(
    pdf_dir: Path, options: dict[str, Any], mode: str
) -> None:
    loader = ZhiyiPDFLoader(pdf_dir / SLIDES, mode=mode, images="documents", **options)  # type: ignore[arg-type]
    documents = loader.load()  # inside a running loop
    assert list(loader.lazy_load()) == documents
    assert await loader.aload() == documents
    assert [document async for document in loader.alazy_load()] == documents
    assert len({document.id for document in documents}) == len(documents)


def test_metadata_can_be_written_as_json(pdf_dir: Path, options: dict[str, Any]) -> None:
    for mode in ("page", "block"):
        for document in ZhiyiPDFLoader(pdf_dir / SLIDES, mode=mode, **options).lazy_load():  # type: ignore[arg-type]
            assert json.loads(json.dumps(document.metadata)) == document.metadata


def test_flat_metadata_holds_scalars_only(pdf_dir: Path, options: dict[str, Any]) -> None:
    loader = ZhiyiPDFLoader(pdf_dir / SLIDES, mode="block", metadata_style="flat", **options)
    for document in loader.lazy_load():
        assert all(type(value) in {str, int, float, bool} for value in document.metadata.values())


@pytest.mark.parametrize("form", ["str", "bytes", "file", "folder", "glob", "list", "blob", "s3"])
def test_every_form_of_input_gives_the_same_text(
    pdf_dir: Path, options: dict[str, Any], tmp_path: Path, s3: S3, form: str
) -> None:
    content = (pdf_dir / "jo.pdf").read_bytes()
    path = tmp_path / "in" / "jo.pdf"
    path.parent.mkdir()
    path.write_bytes(content)
    expected = add_up(ZhiyiPDFLoader(path, **options).load())
    sources: dict[str, Any] = {
        "str": str(path),
        "bytes": content,
        "file": path.open("rb"),
        "folder": path.parent,
        "glob": str(path.parent / "*.pdf"),
        "list": [path],
        "blob": Blob.from_path(path),
        "s3": s3.put(f"{s3.folder()}/jo.pdf", content),
    }
    store_on_disk = {**options, "storage_options": s3.storage_options if form == "s3" else None}
    with sources["file"]:
        documents = ZhiyiPDFLoader(sources[form], **store_on_disk).load()
    assert add_up(documents) == expected


def test_the_report_tells_of_the_latest_load(pdf_dir: Path, options: dict[str, Any]) -> None:
    loader = ZhiyiPDFLoader(
        [pdf_dir / "r6-both-passwords.pdf", pdf_dir / "jo.pdf"], on_error="skip", **options
    )
    for _ in range(2):
        assert len(loader.load()) == 1
        broken, good = loader.report.sources
        assert isinstance(broken.error, EncryptedPDF)
        assert good.error is None
    assert good.from_store
    assert loader.report.points == 0


def test_a_ready_converter_is_used_and_left_open(pdf_dir: Path, options: dict[str, Any]) -> None:
    with Converter(**options) as converter:
        loader = ZhiyiPDFLoader(pdf_dir / "jo.pdf", converter=converter)
        assert loader.load() == loader.load()
        assert ZhiyiPDFLoader(pdf_dir / "jo.pdf", **options).load() == loader.load()


def test_a_splitter_keeps_the_metadata(pdf_dir: Path, options: dict[str, Any]) -> None:
    documents = ZhiyiPDFLoader(pdf_dir / LAND, **options).load()
    chunks = RecursiveCharacterTextSplitter(chunk_size=200, chunk_overlap=0).split_documents(
        documents
    )
    assert len(chunks) > len(documents)
    assert {json.dumps(chunk.metadata) for chunk in chunks} == {
        json.dumps(document.metadata) for document in documents
    }


def test_indexing_three_times_adds_only_the_first_time(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    records = InMemoryRecordManager(namespace="papers")
    records.create_schema()
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    sources = [pdf_dir / name for name in ("jo.pdf", "us-017.pdf", "ocr_test.pdf")]
    added, skipped, deleted = [], [], []
    for _ in range(3):
        # A loader of its own each time, as in three runs of a program.
        loader = ZhiyiPDFLoader(sources, mode="single", **options)
        result = index(
            loader,
            records,
            store,
            cleanup="incremental",
            source_id_key="source",
            key_encoder="sha256",
        )
        added.append(result["num_added"])
        skipped.append(result["num_skipped"])
        deleted.append(result["num_deleted"])
    assert added == [3, 0, 0]
    assert skipped == [0, 3, 3]
    assert deleted == [0, 0, 0]


class ShoutingModel(BaseHTTPRequestHandler):
    """An OpenAI-compatible endpoint whose translations are the text in capitals."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"choices": [{"message": {"content": asked["messages"][-1]["content"].upper()}}]}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def translation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An endpoint that embedded servers of processes started from here translate with."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), ShoutingModel)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("ZHIYIPDF_TRANSLATION_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("ZHIYIPDF_TRANSLATION_MODEL", "shouting")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("translation")
def test_each_variant_of_a_translation_is_a_document_paired_with_the_others(
    pdf_dir: Path, tmp_path: Path
) -> None:
    script = """
        import json, sys
        from zhiyipdf import ZhiyiPDFLoader

        path, store = sys.argv[1:]
        options = dict(base_url="local", store=store, translate_to="de")
        every = ("original", "translated", "bilingual")
        loaders = [
            ZhiyiPDFLoader(path, mode="single", **options),
            ZhiyiPDFLoader(path, mode="single", variants=every, **options),
            ZhiyiPDFLoader(path, mode="block", variants=every, **options),
        ]
        print(json.dumps([[d.model_dump() for d in loader.load()] for loader in loaders]))
    """
    shown = run_script(script, str(pdf_dir / LAND), str(tmp_path)).stdout
    (alone,), whole, blocks = json.loads(shown)
    assert alone["metadata"]["variant"] == "translated"
    original, translated, bilingual = whole
    assert [d["metadata"].get("language") for d in whole] == [None, "de", "de"]
    assert len({d["metadata"]["pair_id"] for d in whole}) == 1
    assert len({d["id"] for d in whole}) == 3
    assert "Introduction" in original["page_content"]
    assert "INTRODUCTION" in translated["page_content"]
    assert {"Introduction", "INTRODUCTION"} <= set(bilingual["page_content"].split())

    texts: dict[str, dict[str, list[str]]] = {}
    for block in blocks:
        by_variant = texts.setdefault(block["metadata"]["pair_id"], {})
        by_variant.setdefault(block["metadata"]["variant"], []).append(block["page_content"])
    for pair in texts.values():
        (said,) = pair["original"]
        assert [text.casefold() for text in pair["translated"]] == [said.casefold()]
        assert pair["bilingual"][0] == said
        assert len(pair["bilingual"]) <= 2


# --- blobs --------------------------------------------------------------------------------------


async def test_a_parser_does_with_a_blob_what_the_loader_does_with_a_file(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    path = str(pdf_dir / SLIDES)
    expected = ZhiyiPDFLoader(path, **options).load()
    parser = ZhiyiPDFParser(**options)
    assert list(parser.lazy_parse(Blob.from_path(path))) == expected
    assert parser.parse(Blob.from_path(path)) == expected
    assert await parser.aparse(Blob.from_path(path)) == expected
    assert [d async for d in parser.alazy_parse(Blob.from_path(path))] == expected
    assert len(parser.report.sources) == 4


def test_a_blob_of_bytes_keeps_the_source_it_names(pdf_dir: Path, options: dict[str, Any]) -> None:
    content = (pdf_dir / "jo.pdf").read_bytes()
    blob = Blob.from_data(content, path="in/jo.pdf", metadata={"source": "crm:42"})
    (document,) = ZhiyiPDFParser(**options).parse(blob)
    assert document.metadata["source"] == "crm:42"
    assert document.metadata["file_name"] == "jo.pdf"


def test_blobs_are_found_at_any_url_and_read_only_when_asked(
    pdf_dir: Path, options: dict[str, Any], s3: S3
) -> None:
    content = (pdf_dir / "jo.pdf").read_bytes()
    folder = s3.folder()
    url = s3.put(f"{folder}/a.pdf", content)
    s3.put(f"{folder}/sub/b.PDF", b"not a pdf")
    s3.put(f"{folder}/c.txt", b"text")
    loader = FsspecBlobLoader(s3.url(folder), storage_options=s3.storage_options)
    first, second = loader.yield_blobs()
    assert (first.source, second.source) == (url, s3.url(f"{folder}/sub/b.PDF"))
    assert first.mimetype == "application/pdf"
    assert first.data is None
    assert first.as_bytes() == content
    with first.as_bytes_io() as file:
        assert file.read(5) == b"%PDF-"
    assert second.as_string() == "not a pdf"

    parser = ZhiyiPDFParser(**options)  # knows nothing of the bucket's login
    (document,) = parser.lazy_parse(first)
    assert document.metadata["source"] == url
    with pytest.raises(NotAPDF):
        parser.parse(second)


def test_local_blobs_are_found_too(pdf_dir: Path, options: dict[str, Any]) -> None:
    (blob,) = FsspecBlobLoader(pdf_dir / "jo.pdf").yield_blobs()
    assert blob.as_bytes() == (pdf_dir / "jo.pdf").read_bytes()
    expected = ZhiyiPDFLoader(pdf_dir / "jo.pdf", **options).load()
    assert ZhiyiPDFParser(**options).parse(blob) == expected


def test_a_blob_inside_an_archive_is_parsed(
    pdf_dir: Path, options: dict[str, Any], tmp_path: Path
) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(pdf_dir / "jo.pdf", "in/jo.pdf")
    (blob,) = FsspecBlobLoader(f"zip://in/jo.pdf::file://{tmp_path}/all.zip").yield_blobs()
    (document,) = ZhiyiPDFParser(**options).parse(blob)
    assert document.metadata["file_name"] == "jo.pdf"
