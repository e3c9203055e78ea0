from __future__ import annotations

import inspect
import json
import logging
import pickle
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from llama_index.core import SimpleDirectoryReader
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.readers.base import BasePydanticReader, ReaderConfig, ResourcesReaderMixin
from llama_index.core.readers.loading import load_reader
from llama_index.core.schema import Document, MetadataMode, NodeRelationship, TransformComponent
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict
from pydantic import SecretStr

from support.conversions import asset, blocks, conversion, on
from support.s3 import S3
from support.scripts import run_script
from zhiyipdf import Converter, ZhiyiPDFReader
from zhiyipdf.documents import make_records
from zhiyipdf.errors import EncryptedPDF
from zhiyipdf.llama_index.documents import document_of
from zhiyipdf.models import DocumentProperties

KEY = "sk-very-secret"
LAND = "loc_land_ownership_5p.pdf"
SLIDES = "upstage_ai_packs_slides_4p.pdf"


@pytest.fixture
def options(shared_store: str) -> dict[str, Any]:
    return {"base_url": "local", "store": shared_store}


@pytest.fixture
def papers(pdf_dir: Path, tmp_path: Path) -> Path:
    """A folder with a good PDF, a PDF that needs a password, and a text."""
    folder = tmp_path / "papers"
    folder.mkdir()
    for name in ("jo.pdf", "r6-both-passwords.pdf"):
        (folder / name).write_bytes((pdf_dir / name).read_bytes())
    (folder / "notes.txt").write_text("plain")
    return folder


# --- without converting anything ----------------------------------------------------------------


def test_it_is_what_llama_index_expects() -> None:
    assert issubclass(ZhiyiPDFReader, BasePydanticReader)
    assert issubclass(ZhiyiPDFReader, ResourcesReaderMixin)
    assert ZhiyiPDFReader.class_name() == "ZhiyiPDFReader"
    assert ZhiyiPDFReader().is_remote


def test_all_loading_methods_take_what_simple_directory_reader_gives() -> None:
    for name in ("load_data", "lazy_load_data", "aload_data", "alazy_load_data", "aiter_data"):
        parameters = inspect.signature(getattr(ZhiyiPDFReader, name)).parameters
        assert list(parameters) == ["self", "file", "extra_info", "fs"]


@pytest.mark.parametrize(
    "option", [{"mode": "pages"}, {"images": "x"}, {"tranlate_to": "en"}, {"variants": "bilingual"}]
)
def test_options_are_refused_when_the_reader_is_made(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))):
        ZhiyiPDFReader(**option)


@pytest.mark.parametrize("api_key", [KEY, SecretStr(KEY), [KEY, "sk-other"]])
def test_keys_stand_in_no_dump_and_no_repr(api_key: Any) -> None:
    reader = ZhiyiPDFReader(api_key=api_key, storage_options={"secret": KEY}, mode="block")
    for shown in (
        repr(reader),
        str(reader),
        str(reader.to_dict()),
        reader.to_json(),
        reader.model_dump_json(),
        str(ReaderConfig(reader=reader).to_dict()),
    ):
        assert KEY not in shown
        assert "sk-other" not in shown
    assert reader.to_dict()["mode"] == "block"


def test_a_dump_makes_an_equal_reader_again() -> None:
    reader = ZhiyiPDFReader(mode="block", translate_to="en", variants=["original"], store=False)
    data = reader.to_dict()
    assert data["class_name"] == "ZhiyiPDFReader"
    assert json.loads(reader.to_json()) == json.loads(json.dumps(data))
    for copy in (ZhiyiPDFReader.from_dict(data), load_reader(json.loads(reader.to_json()))):
        assert isinstance(copy, ZhiyiPDFReader)
        assert copy.to_dict() == data


def test_a_pickle_holds_the_key_and_warns_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    reader = ZhiyiPDFReader(api_key=KEY, base_url="https://example.org", mode="block")
    for _ in range(2):
        copy = pickle.loads(pickle.dumps(reader))
        assert copy.to_dict() == reader.to_dict()
        assert copy.api_key == reader.api_key
        assert reader._loading.converter is not copy._loading.converter
    assert [entry for entry in caplog.records if entry.levelno >= logging.WARNING] == []


def test_without_llama_index_the_error_names_the_pip_line() -> None:
    script = (
        "import sys; sys.modules['llama_index'] = None\n"
        "import zhiyipdf\n"
        "try:\n    zhiyipdf.ZhiyiPDFReader\n"
        "except ImportError as error:\n    print(error)"
    )
    shown = run_script(script)
    assert 'pip install "zhiyipdf[llama-index]"' in shown.stdout


def made_documents(**options: Any) -> list[Document]:
    """Documents of a page with 120 pictures and a title nobody can read to its end."""
    names = [f"images/1-{n}.png" for n in range(120)]
    text = "Words. " * 300 + " ".join(f"![](images/1-{n}.png)" for n in range(120))
    made = conversion(
        blocks(("paragraph", text, on(1, bbox=(1.0, 2.0, 3.0, 4.0)), {"section": ("A", "B")})),
        assets=[asset(name, name.encode()) for name in names],
        properties=DocumentProperties(title="Very long " * 500, producer="pdfTeX", author="A. B."),
        uri="https://example.org/" + "x" * 500 + "/paper.pdf",
    )
    uris = {name: f"file:///home/user/a%20b/{name}" for name in names}
    return [document_of(record, None) for record in make_records(made, uris=uris, **options)]


@pytest.mark.parametrize("mode", ["single", "page", "block"])
def test_bulky_metadata_does_not_keep_a_splitter_from_splitting(mode: str) -> None:
    documents = made_documents(mode=mode)
    nodes = SentenceSplitter(chunk_size=256, chunk_overlap=0).get_nodes_from_documents(documents)
    assert len(nodes) > 1
    for node in nodes:
        assert len(node.metadata["images"]) == 120  # hidden, not lost
        for shown_to in (MetadataMode.EMBED, MetadataMode.LLM):
            shown = node.get_metadata_str(mode=shown_to)
            assert "paper.pdf" in shown
            assert "A. B." in shown
            assert "pdfTeX" not in shown
            assert "Very long" not in shown


def test_each_document_has_lists_of_its_own() -> None:
    first, second = made_documents(mode="page") + made_documents(mode="page")
    first.excluded_llm_metadata_keys.append("author")
    assert "author" not in second.excluded_llm_metadata_keys
    assert "author" not in first.excluded_embed_metadata_keys


@pytest.mark.parametrize(
    ("uri", "field", "expected"),
    [
        ("file:///a%20b/x.png", "path", Path("/a b/x.png")),
        ("s3://bucket/x.png", "url", "s3://bucket/x.png"),
        ("https://example.org/x.png", "url", "https://example.org/x.png"),
    ],
)
def test_pictures_are_referred_to_so_that_a_docstore_keeps_them(
    uri: str, field: str, expected: Any
) -> None:
    made = conversion(blocks(("image", "![A chart](a.png)", on(1))), assets=[asset("a.png")])
    _, record = make_records(made, images="documents", uris={"a.png": uri})
    document = document_of(record, None)
    store = SimpleDocumentStore()
    store.add_documents([document])
    copy = SimpleDocumentStore.from_dict(json.loads(json.dumps(store.to_dict()))).get_document(
        document.id_
    )
    assert isinstance(copy, Document)
    assert copy.text == "A chart"
    assert copy.image_resource is not None
    assert copy.image_resource.mimetype == "image/png"
    found = getattr(copy.image_resource, field)
    assert (str(found) if field == "url" else found) == expected
    assert copy.hash == document.hash
    assert pickle.loads(pickle.dumps(document)).to_dict() == document.to_dict()
    in_vector_store = json.loads(json.dumps(node_to_metadata_dict(document)))
    assert metadata_dict_to_node(in_vector_store).metadata == document.metadata


def test_extra_info_is_kept_where_the_reader_has_nothing_better_to_say() -> None:
    (record,) = make_records(conversion(blocks(("paragraph", "a"))))
    extra = {"file_path": "/papers/paper.pdf", "file_name": "other", "file_size": 7}
    document = document_of(record, extra)
    assert document.metadata["file_path"] == "/papers/paper.pdf"
    assert document.metadata["file_size"] == 7
    assert document.metadata["file_name"] == "paper.pdf"
    assert extra["file_name"] == "other"


# --- on the embedded server ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["single", "page", "block"])
async def test_all_ways_to_load_give_equal_documents(
    pdf_dir: Path, options: dict[str, Any], mode: str
) -> None:
    reader = ZhiyiPDFReader(mode=mode, images="documents", **options)
    path = pdf_dir / SLIDES
    documents = reader.load_data(path)  # inside a running loop
    assert list(reader.lazy_load_data(path)) == documents
    assert await reader.aload_data(path) == documents
    assert list(await reader.alazy_load_data(path)) == documents
    assert [document async for document in reader.aiter_data(path)] == documents
    assert len({document.id_ for document in documents}) == len(documents)
    assert len(reader.report.sources) == 5


def test_a_page_has_the_metadata_of_the_contract(pdf_dir: Path, options: dict[str, Any]) -> None:
    path = pdf_dir / "jo.pdf"
    (document,) = ZhiyiPDFReader(**options).load_data(path)
    assert document.metadata["source"] == str(path)
    assert document.metadata["file_name"] == "jo.pdf"
    assert (document.metadata["page_number"], document.metadata["page_label"]) == (1, "1")
    assert "page" not in document.metadata
    assert NodeRelationship.SOURCE not in document.relationships
    for excluded in (document.excluded_embed_metadata_keys, document.excluded_llm_metadata_keys):
        assert {"content_sha256", "page_source", "image_count"} <= set(excluded)
        assert not {"file_name", "page_label", "page_number"} & set(excluded)


def test_several_files_come_in_input_order(pdf_dir: Path, options: dict[str, Any]) -> None:
    documents = ZhiyiPDFReader(mode="single", **options).load_data(
        [pdf_dir / "us-017.pdf", str(pdf_dir / "jo.pdf")], extra_info={"project": "x"}
    )
    assert [d.metadata["file_name"] for d in documents] == ["us-017.pdf", "jo.pdf"]
    assert [d.metadata["project"] for d in documents] == ["x", "x"]


def test_pictures_become_documents_with_text(pdf_dir: Path, options: dict[str, Any]) -> None:
    documents = ZhiyiPDFReader(images="documents", **options).load_data(pdf_dir / SLIDES)
    pictures = [document for document in documents if document.image_resource is not None]
    assert pictures
    for picture in pictures:
        assert picture.text.strip()
        assert picture.image_resource is not None
        assert picture.image_resource.path is not None
        assert picture.image_resource.path.read_bytes()


def test_a_ready_converter_is_used(pdf_dir: Path, options: dict[str, Any]) -> None:
    expected = ZhiyiPDFReader(**options).load_data(pdf_dir / "jo.pdf")
    reader = ZhiyiPDFReader(converter=Converter(**options))
    assert reader.load_data(pdf_dir / "jo.pdf") == expected
    assert "converter" not in reader.to_dict()


def test_simple_directory_reader_uses_it_for_pdfs(papers: Path, options: dict[str, Any]) -> None:
    extractor = {".pdf": ZhiyiPDFReader(on_error="skip", **options)}
    documents = SimpleDirectoryReader(papers, file_extractor=extractor).load_data()
    pdf, text = documents
    assert pdf.metadata["file_name"] == "jo.pdf"
    assert pdf.metadata["file_path"] == str(papers / "jo.pdf")
    assert pdf.metadata["file_size"] > 0
    assert pdf.metadata["page_number"] == 1
    assert text.text == "plain"


async def test_simple_directory_reader_gives_the_same_documents_with_async(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    files = [pdf_dir / "jo.pdf", pdf_dir / SLIDES, pdf_dir / "us-017.pdf"]
    reader = ZhiyiPDFReader(**options)
    directory = SimpleDirectoryReader(input_files=files, file_extractor={".pdf": reader})
    assert await directory.aload_data() == directory.load_data()
    assert await directory.aload_data(num_workers=2) == directory.load_data()


def test_simple_directory_reader_can_name_the_documents(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    documents = SimpleDirectoryReader(
        input_files=[pdf_dir / SLIDES],
        file_extractor={".pdf": ZhiyiPDFReader(**options)},
        filename_as_id=True,
    ).load_data()
    assert [d.id_ for d in documents] == [
        f"{pdf_dir / SLIDES}_part_{n}" for n in range(len(documents))
    ]


async def test_errors_reach_whoever_asked_simple_directory_reader_to_raise(
    papers: Path, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    reader = ZhiyiPDFReader(**options)
    extractor = {".pdf": reader}
    strict = SimpleDirectoryReader(papers, file_extractor=extractor, raise_on_error=True)
    with pytest.raises(Exception, match="Error loading file") as raised:
        strict.load_data()
    assert isinstance(raised.value.__cause__, EncryptedPDF)
    with pytest.raises(EncryptedPDF):
        await strict.aload_data()

    lenient = SimpleDirectoryReader(papers, file_extractor=extractor)
    assert [d.metadata["file_name"] for d in lenient.load_data()] == ["jo.pdf", "notes.txt"]
    assert "r6-both-passwords.pdf" in capsys.readouterr().out  # LlamaIndex prints this, not we
    assert isinstance(reader.report.failed[0].error, EncryptedPDF)


def test_simple_directory_reader_works_with_worker_processes(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    files = [pdf_dir / "jo.pdf", pdf_dir / "us-017.pdf"]
    reader = ZhiyiPDFReader(mode="single", **options)
    directory = SimpleDirectoryReader(input_files=files, file_extractor={".pdf": reader})
    assert directory.load_data(num_workers=2) == directory.load_data()


def test_simple_directory_reader_works_on_a_remote_filesystem(
    pdf_dir: Path, options: dict[str, Any], s3: S3
) -> None:
    folder = s3.folder()
    s3.put(f"{folder}/jo.pdf", (pdf_dir / "jo.pdf").read_bytes())
    directory = SimpleDirectoryReader(
        f"{s3.bucket}/{folder}",
        fs=s3.fs(),
        file_extractor={".pdf": ZhiyiPDFReader(**options)},
        raise_on_error=True,
    )
    (document,) = directory.load_data()
    (expected,) = ZhiyiPDFReader(**options).load_data(pdf_dir / "jo.pdf")
    assert (document.id_, document.text) == (expected.id_, expected.text)
    assert document.metadata["source"] == f"{s3.bucket}/{folder}/jo.pdf"


def test_a_path_on_a_given_filesystem_is_read_from_there(
    pdf_dir: Path, options: dict[str, Any], s3: S3
) -> None:
    key = f"{s3.folder()}/jo.pdf"
    s3.put(key, (pdf_dir / "jo.pdf").read_bytes())
    path = PurePosixPath(s3.bucket) / key
    (document,) = ZhiyiPDFReader(**options).load_data(path, fs=s3.fs())
    assert document.metadata["source"] == str(path)
    by_url = ZhiyiPDFReader(storage_options=s3.storage_options, base_url="local", store=False)
    assert by_url.load_data(s3.url(key))[0].text == document.text


class Count(TransformComponent):
    """Counts what a pipeline lets through."""

    seen: int = 0

    def __call__(self, nodes: Any, **_: Any) -> Any:
        self.seen += len(nodes)
        return nodes


def test_a_pipeline_run_three_times_works_only_the_first_time(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    files = [pdf_dir / name for name in ("jo.pdf", "us-017.pdf", "ocr_test.pdf")]
    docstore, vectors = SimpleDocumentStore(), SimpleVectorStore()
    seen = []
    for _ in range(3):
        count = Count()
        pipeline = IngestionPipeline(
            transformations=[count, SentenceSplitter(), MockEmbedding(embed_dim=8)],
            docstore=docstore,
            vector_store=vectors,
            docstore_strategy=DocstoreStrategy.UPSERTS,
            disable_cache=True,
        )
        # A reader of its own each time, as in three runs of a program.
        pipeline.run(documents=ZhiyiPDFReader(mode="single", **options).load_data(files))
        seen.append(count.seen)
    assert seen == [3, 0, 0]


def test_resources_are_the_pdfs_of_a_folder(papers: Path, options: dict[str, Any]) -> None:
    reader = ZhiyiPDFReader(**options)
    resources = reader.list_resources(papers)
    assert resources == [str(papers / "jo.pdf"), str(papers / "r6-both-passwords.pdf")]
    assert reader.get_resource_info(resources[0]) == {
        "file_path": str(papers / "jo.pdf"),
        "file_name": "jo.pdf",
        "file_type": "application/pdf",
        "file_size": (papers / "jo.pdf").stat().st_size,
    }
    assert list(reader.list_resources_with_info(papers)) == resources
    assert reader.load_resource(resources[0]) == reader.load_data(papers / "jo.pdf")
    assert reader.read_file_content(papers / "jo.pdf") == (papers / "jo.pdf").read_bytes()
    assert reader.list_resources() == []


async def test_resources_can_be_loaded_without_blocking(
    papers: Path, options: dict[str, Any]
) -> None:
    reader = ZhiyiPDFReader(**options)
    resource = (await reader.alist_resources(papers))[0]
    assert (await reader.aget_resource_info(resource))["file_name"] == "jo.pdf"
    expected = reader.load_data(resource)
    assert await reader.aload_resource(resource) == expected
    assert await reader.aload_resources([resource]) == {resource: expected}


def test_a_resource_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ZhiyiPDFReader().get_resource_info(str(tmp_path / "gone.pdf"))
