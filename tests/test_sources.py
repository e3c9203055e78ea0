from __future__ import annotations

import base64
import hashlib
import io
import json
import logging
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents.base import Blob

from support.pdfs import pdf_bytes, write_pdf
from zhiyipdf.errors import (
    EmptyFile,
    EncryptedPDF,
    FileTooLarge,
    InputError,
    InvalidPDF,
    NotAPDF,
    TooManyPages,
)
from zhiyipdf.models import Source
from zhiyipdf.policy import Limits
from zhiyipdf.sources import SourceRef, expand, opened, public_uri
from zhiyipdf.sources.addresses import file_name, scrubbed
from zhiyipdf.sources.remote import filesystem_of

LIMITS = Limits()
PDF = pdf_bytes(pages=2)


def look(item: object, folder: Path | None = None, **options: object) -> list[Source]:
    """Expand and open everything; each source is looked at while it is open."""
    found = []
    for ref in expand(item, **options):
        with opened(ref, folder=folder, limits=LIMITS) as source:
            assert len(source.pages) >= 1
            content = Path(source.path).read_bytes()
            assert source.sha256 == hashlib.sha256(content).hexdigest()
            assert source.size_bytes == len(content)
        found.append(source)
    return found


def uris(item: object, **options: object) -> list[str]:
    return [ref.uri for ref in expand(item, **options)]


def names(item: object, **options: object) -> list[str]:
    return [ref.name for ref in expand(item, **options)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with PDFs, other files, folders in folders and hidden things."""
    root = tmp_path / "tree"
    for name in (
        "b.pdf",
        "A.PDF",
        "notes.txt",
        "sub/c.pdf",
        "sub/deep/d.pdf",
        ".hidden/x.pdf",
        "._b.pdf",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PDF)
    return root


IN_TREE = ["A.PDF", "b.pdf", "sub/c.pdf", "sub/deep/d.pdf"]


# Local paths


@pytest.mark.parametrize("kind", [str, Path, PurePosixPath])
def test_a_local_path_is_used_in_place(tmp_path, kind):
    path = write_pdf(tmp_path / "paper.pdf", pages=2, labels=["i", "1"], info={"Title": "T"})
    [source] = look(kind(path))

    assert source.uri == str(path)
    assert source.name == "paper.pdf"
    assert source.path == str(path)
    assert [(p.number, p.label) for p in source.pages] == [(1, "i"), (2, "1")]
    assert source.properties.title == "T"


def test_a_relative_path_stays_as_the_caller_wrote_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pdf(tmp_path / "a.pdf")

    assert [s.uri for s in look("a.pdf")] == ["a.pdf"]
    assert [s.uri for s in look("./a.pdf")] == ["./a.pdf"]


def test_the_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_pdf(tmp_path / "a.pdf")

    [source] = look("~/a.pdf")
    assert (source.uri, source.path) == ("~/a.pdf", str(tmp_path / "a.pdf"))
    assert uris("~") == [str(Path("~/a.pdf"))]


def test_a_tilde_without_such_a_user_is_part_of_the_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pdf(tmp_path / "~nobody-of-this-name.pdf")

    assert [s.name for s in look("~nobody-of-this-name.pdf")] == ["~nobody-of-this-name.pdf"]


@pytest.mark.parametrize("name", ["paper.pdf", "white space.pdf", "统一.pdf", "100%25.pdf"])
def test_file_urls_are_local_files_percent_encoded_or_not(tmp_path, name):
    path = write_pdf(tmp_path / name)
    for url in (path.as_uri(), f"file://{path}"):
        [source] = look(url)
        assert (source.uri, source.path) == (url, str(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.pdf") as caught:
        look(tmp_path / "absent.pdf")

    assert caught.value.filename == str(tmp_path / "absent.pdf")


def test_an_empty_path_is_missing_and_not_the_current_folder():
    with pytest.raises(FileNotFoundError):
        look("")


def test_a_url_that_went_through_a_path_is_explained():
    with pytest.raises(FileNotFoundError, match="pass the URL as a str"):
        look(Path("s3://bucket/a.pdf"))


def test_a_file_that_vanished_after_it_was_listed_is_missing(tmp_path):
    [ref] = expand(write_pdf(tmp_path / "a.pdf"))
    (tmp_path / "a.pdf").unlink()

    with pytest.raises(FileNotFoundError, match=r"a\.pdf"), opened(ref, folder=None, limits=LIMITS):
        pass


@pytest.mark.parametrize(
    "raw", [b"caf\xe9 \xff.pdf", b"x" * 236 + b".pdf", "нет 中 😀.pdf".encode()]
)
def test_any_file_name_is_opened_and_can_be_printed(tmp_path, raw):
    path = write_pdf(tmp_path / os.fsdecode(raw))
    for item in (path, str(path), tmp_path):
        [source] = look(item)
        assert source.path == str(path)
        assert source.name == raw.decode("utf-8", "replace")
        assert source.uri.encode().endswith(source.name.encode())


def test_a_pipe_is_read_once_through_a_copy(tmp_path):
    pipe = tmp_path / "pipe.pdf"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pipe.write_bytes, PDF)
        [source] = look(pipe, folder=tmp_path / "work")

    assert source.name == "pipe.pdf"
    assert Path(source.path).parent == tmp_path / "work"


# Folders and patterns


def test_a_folder_stands_for_the_pdfs_below_it_in_order(tree):
    assert uris(tree) == [str(tree / name) for name in IN_TREE]
    assert uris(f"{tree}/") == [str(tree / name) for name in IN_TREE]
    assert names(tree) == ["A.PDF", "b.pdf", "c.pdf", "d.pdf"]


def test_a_folder_as_a_file_url(tree):
    assert uris(tree.as_uri()) == [f"{tree.as_uri()}/{name}" for name in IN_TREE]


def test_other_suffixes_can_be_asked_for(tree):
    assert names(tree, suffixes=(".TXT",)) == ["notes.txt"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.pdf", ["b.pdf"]),
        ("*", ["A.PDF", "b.pdf"]),
        ("**", IN_TREE),
        ("**/*.pdf", ["b.pdf", "sub/c.pdf", "sub/deep/d.pdf"]),
        ("sub/*", ["sub/c.pdf"]),
        ("?.pdf", ["b.pdf"]),
        ("[bB].*", ["b.pdf"]),
        ("*.txt", ["notes.txt"]),
        ("sub/**/d.pdf", ["sub/deep/d.pdf"]),
    ],
)
def test_a_pattern_stands_for_the_files_it_matches(tree, s3, pattern, found):
    assert uris(f"{tree}/{pattern}") == [f"{tree}/{name}" for name in found]
    assert uris(f"file://{tree}/{pattern}") == [f"file://{tree}/{name}" for name in found]

    folder = s3.folder()
    for path in tree.rglob("*"):
        if path.is_file():
            s3.put(f"{folder}/{path.relative_to(tree).as_posix()}", PDF)
    options = {"storage_options": s3.storage_options}
    assert uris(s3.url(f"{folder}/{pattern}"), **options) == [
        s3.url(f"{folder}/{name}") for name in found
    ]


@pytest.mark.parametrize("name", ["a[1].pdf", "star*.pdf", "what?.pdf", "[x", "a::b.pdf"])
def test_a_path_that_exists_is_that_file_whatever_its_characters(tmp_path, name):
    path = write_pdf(tmp_path / name)
    write_pdf(tmp_path / "a1.pdf")

    assert [s.path for s in look(str(path))] == [str(path)]


def test_a_key_that_exists_is_that_file_whatever_its_characters(s3):
    folder = s3.folder()
    s3.put(f"{folder}/a1.pdf", pdf_bytes(pages=1))
    url = s3.put(f"{folder}/a[1].pdf", PDF)

    [source] = look(url, storage_options=s3.storage_options)
    assert (source.uri, len(source.pages)) == (url, 2)


@pytest.mark.parametrize("item", ["empty", "empty/*.pdf", "nowhere/*.pdf", "empty/**"])
def test_a_folder_or_pattern_without_pdfs_says_so(tmp_path, item):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.txt").write_text("x")

    with pytest.raises(FileNotFoundError, match=r"No \.pdf file") as caught:
        list(expand(tmp_path / item))
    assert caught.value.filename == str(tmp_path / item)


def test_nothing_is_listed_before_the_iteration_begins(tmp_path):
    refs = expand([tmp_path / "later.pdf", tmp_path / "absent.pdf"])
    write_pdf(tmp_path / "later.pdf")

    assert next(refs).name == "later.pdf"
    with pytest.raises(FileNotFoundError):
        next(refs)


# Bytes, file objects, several


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_named_by_their_content(kind, tmp_path):
    [source] = look(kind(PDF), folder=tmp_path)

    assert source.uri == f"bytes:sha256:{hashlib.sha256(PDF).hexdigest()[:16]}"
    assert source.name == "document.pdf"


def test_a_data_url_is_its_bytes():
    url = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
    assert uris(url) == uris(PDF)


def test_a_nameless_file_object_is_its_bytes(tmp_path):
    assert [s.uri for s in look(io.BytesIO(PDF), folder=tmp_path)] == uris(PDF)


def test_a_named_file_object_keeps_its_name(tmp_path):
    path = write_pdf(tmp_path / "named.pdf")
    with path.open("rb") as file:
        [source] = look(file, folder=tmp_path / "work")

    assert (source.uri, source.name) == (str(path), "named.pdf")
    assert Path(source.path).parent == tmp_path / "work"


def test_an_fsspec_file_keeps_its_url(s3):
    url = s3.put(f"{s3.folder()}/remote.pdf", PDF)
    with s3.fs().open(url, "rb") as file:
        assert [(s.uri, s.name) for s in look(file)] == [(url, "remote.pdf")]


def test_a_file_object_is_read_from_where_it_stands_and_left_there():
    file = io.BytesIO(b"letterhead" + PDF)
    file.seek(10)

    for _ in range(2):
        [source] = look(file)
        assert source.sha256 == hashlib.sha256(PDF).hexdigest()
        assert file.tell() == 10


def test_a_file_object_at_its_end_is_empty():
    with pytest.raises(EmptyFile):
        look(io.BytesIO(b""))


def test_a_stream_that_cannot_go_back_gets_its_uri_when_its_content_is_known():
    read, write = os.pipe()
    with os.fdopen(read, "rb") as file, ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: (os.write(write, PDF), os.close(write)))
        [source] = look(file)

    assert [source.uri] == uris(PDF)


def test_a_text_file_is_a_mistake_of_the_caller(tmp_path):
    path = write_pdf(tmp_path / "a.pdf")
    with path.open(encoding="latin-1") as file, pytest.raises(TypeError, match="binary"):
        look(file)


@pytest.mark.parametrize("item", [None, 7, {"a.pdf": 1}, object()])
def test_what_is_no_source_is_a_type_error(item):
    with pytest.raises(TypeError, match="a source is"):
        list(expand(item))


def test_several_sources_come_in_their_order_however_deeply_nested(tmp_path, tree):
    first = write_pdf(tmp_path / "z.pdf")

    def some() -> object:
        yield PDF
        yield [tree / "b.pdf", (io.BytesIO(PDF),)]

    assert names([first, some(), tree / "sub"]) == [
        "z.pdf",
        "document.pdf",
        "b.pdf",
        "document.pdf",
        "c.pdf",
        "d.pdf",
    ]
    assert list(expand([])) == []


def test_a_source_that_was_named_before_is_itself(tmp_path):
    refs = list(expand([PDF, write_pdf(tmp_path / "a.pdf")]))

    assert list(expand(refs)) == refs


# LangChain's blobs


def test_a_blob_with_data_is_named_by_its_source():
    blob = Blob.from_data(PDF, metadata={"source": "mail://7/report.pdf"})
    [source] = look(blob)
    assert (source.uri, source.name) == ("mail://7/report.pdf", "report.pdf")

    [source] = look(Blob.from_data(PDF))
    assert [source.uri, source.name] == [*uris(PDF), "document.pdf"]

    [source] = look(Blob(data=PDF, path="folder/x.pdf"))
    assert (source.uri, source.name) == ("folder/x.pdf", "x.pdf")


def test_a_blob_with_a_path_is_that_file(tmp_path):
    path = write_pdf(tmp_path / "a[1].pdf")
    [source] = look(Blob.from_path(path))
    assert (source.uri, source.path) == (str(path), str(path))

    [source] = look(Blob.from_path(str(path), metadata={"source": "intranet/7"}))
    assert (source.uri, source.name) == ("intranet/7", "a[1].pdf")


def test_a_blob_whose_path_is_a_url_is_fetched(s3):
    url = s3.put(f"{s3.folder()}/blob.pdf", PDF)
    [source] = look(Blob(path=url), storage_options=s3.storage_options)

    assert (source.uri, source.name) == (url, "blob.pdf")


def test_a_blob_that_makes_its_bytes_itself_is_asked_for_them():
    class Made(Blob):
        def as_bytes(self) -> bytes:
            return PDF

    assert [s.uri for s in look(Made(data=None, metadata={"source": "made"}))] == ["made"]


# Remote files


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.mark.parametrize("size", [0, 3 * 1024 * 1024 + 17], ids=["small", "several pieces"])
@pytest.mark.parametrize("server", ["s3", "sftp", "http", "memory"])
def test_a_remote_file_is_copied_and_the_copy_removed(request, tmp_path, work, server, size):
    path = write_pdf(tmp_path / "a.pdf", pages=3, padding=size)
    name, content, options = f"a-{size}.pdf", path.read_bytes(), {}
    match server:
        case "s3":
            s3 = request.getfixturevalue("s3")
            url, options = s3.put(name, content), s3.storage_options
        case "sftp":
            sftp = request.getfixturevalue("sftp")
            (sftp.root / name).write_bytes(content)
            url, options = sftp.url(name), sftp.storage_options
        case "http":
            root = request.getfixturevalue("http_root")
            (root.folder / name).write_bytes(content)
            url = root.url(name)
        case _:
            url = f"memory://pdfs/{name}"
            fsspec.filesystem("memory").pipe_file(f"/pdfs/{name}", content)

    [ref] = expand(url, storage_options=options)
    with opened(ref, folder=work, limits=LIMITS) as source:
        assert (source.uri, source.name, len(source.pages)) == (url, name, 3)
        assert Path(source.path).parent == work
        assert Path(source.path).read_bytes() == content
    assert list(work.iterdir()) == []


def test_the_copy_is_removed_when_the_work_fails(work):
    [ref] = expand(PDF)
    with pytest.raises(ZeroDivisionError, match="1"), opened(ref, folder=work, limits=LIMITS):
        raise ZeroDivisionError(len(list(work.iterdir())))
    assert list(work.iterdir()) == []


def test_the_copy_is_removed_when_the_pdf_is_refused(work):
    for content in (b"", b"text", b"%PDF-1.7 and no more"):
        [ref] = expand(content)
        with pytest.raises(InputError), opened(ref, folder=work, limits=LIMITS):
            pass
    assert list(work.iterdir()) == []


def test_without_a_folder_the_copy_is_where_temporary_files_are():
    [source] = look(PDF)

    assert Path(source.path).parent == Path(tempfile.gettempdir())
    assert not Path(source.path).exists()


@pytest.mark.parametrize("server", ["s3", "sftp", "http", "memory"])
def test_a_remote_folder_stands_for_the_pdfs_below_it(request, tree, server):
    options: dict[str, object] = {}
    match server:
        case "s3":
            s3 = request.getfixturevalue("s3")
            url, options = s3.url(s3.folder()), s3.storage_options
            s3.fs().put(f"{tree}/", f"{url}/", recursive=True)
        case "sftp":
            sftp = request.getfixturevalue("sftp")
            shutil.copytree(tree, sftp.root / "tree", dirs_exist_ok=True)
            url, options = sftp.url("tree"), sftp.storage_options
        case "http":
            root = request.getfixturevalue("http_root")
            shutil.copytree(tree, root.folder / "tree", dirs_exist_ok=True)
            url = root.url("tree")
        case _:
            url = "memory://tree-of-pdfs"
            fsspec.filesystem("memory").put(f"{tree}/", "/tree-of-pdfs/", recursive=True)

    found = look(f"{url}/", storage_options=options)
    assert [s.uri for s in found] == [f"{url}/{name}" for name in IN_TREE]
    assert [s.name for s in found] == ["A.PDF", "b.pdf", "c.pdf", "d.pdf"]
    assert uris(f"{url}/sub/*.pdf", storage_options=options) == [f"{url}/sub/c.pdf"]


@pytest.mark.parametrize("what", ["absent.pdf", "absent/*.pdf", "absent/"])
@pytest.mark.parametrize("server", ["s3", "sftp", "http", "memory"])
def test_what_is_not_there_is_named_by_its_url(request, server, what):
    options: dict[str, object] = {}
    match server:
        case "s3":
            s3 = request.getfixturevalue("s3")
            url, options = s3.url(what), s3.storage_options
        case "sftp":
            sftp = request.getfixturevalue("sftp")
            url, options = sftp.url(what), sftp.storage_options
        case "http":
            url = request.getfixturevalue("http_root").url(what)
        case _:
            url = f"memory://{what}"

    with pytest.raises(FileNotFoundError) as caught:
        look(url, storage_options=options)
    assert caught.value.filename == url


def test_a_bucket_that_does_not_exist_is_a_missing_file(s3):
    with pytest.raises(FileNotFoundError, match="no-such-bucket-here"):
        look("s3://no-such-bucket-here/a.pdf", storage_options=s3.storage_options)


def test_files_inside_a_remote_zip_are_reached_by_a_chained_url(s3):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("in/a.pdf", "in/b.pdf", "readme.txt"):
            archive.writestr(name, PDF)
    url = s3.put(f"{s3.folder()}/all.zip", packed.getvalue())
    options = {"storage_options": {"s3": s3.storage_options}}

    [source] = look(f"zip://in/a.pdf::{url}", **options)
    assert (source.uri, source.name) == (f"zip://in/a.pdf::{url}", "a.pdf")
    assert uris(f"zip://in/*.pdf::{url}", **options) == [
        f"zip://in/a.pdf::{url}",
        f"zip://in/b.pdf::{url}",
    ]
    assert names(f"zip://::{url}", **options) == ["a.pdf", "b.pdf"]


def test_a_cached_url_keeps_both_links(s3, tmp_path):
    url = s3.put(f"{s3.folder()}/a.pdf", PDF)
    options = {"s3": s3.storage_options, "simplecache": {"cache_storage": str(tmp_path)}}
    [source] = look(f"simplecache::{url}", storage_options=options)

    assert (source.uri, source.name) == (f"simplecache::{url}", "a.pdf")


def test_a_filesystem_given_wins_over_the_url(s3):
    folder = s3.folder()
    s3.put(f"{folder}/a.pdf", PDF)
    s3.put(f"{folder}/b/c.PDF", PDF)
    path = f"{s3.bucket}/{folder}"

    assert [(s.uri, s.name) for s in look(PurePosixPath(f"{path}/a.pdf"), fs=s3.fs())] == [
        (f"{path}/a.pdf", "a.pdf")
    ]
    assert uris(PurePosixPath(path), fs=s3.fs()) == [f"{path}/a.pdf", f"{path}/b/c.PDF"]
    assert uris(f"{path}/**/*.PDF", fs=s3.fs()) == [f"{path}/b/c.PDF"]
    assert [s.uri for s in look(s3.url(f"{folder}/a.pdf"), fs=s3.fs())] == [
        s3.url(f"{folder}/a.pdf")
    ]
    with pytest.raises(FileNotFoundError, match="absent"):
        look(PurePosixPath(f"{path}/absent.pdf"), fs=s3.fs())


def test_the_local_filesystem_given_reads_in_place(tmp_path):
    path = write_pdf(tmp_path / "a.pdf")

    assert [s.path for s in look(path, fs=fsspec.filesystem("file"))] == [str(path)]


def test_listed_in_one_thread_and_opened_in_another(sftp, s3, work):
    (sftp.root / "threads").mkdir()
    for n in range(6):
        (sftp.root / "threads" / f"{n}.pdf").write_bytes(pdf_bytes(pages=n + 1))
    refs = list(expand(sftp.url("threads"), storage_options=sftp.storage_options))

    def pages(ref: SourceRef) -> int:
        with opened(ref, folder=work, limits=LIMITS) as source:
            return len(source.pages)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(pages, refs)) == [1, 2, 3, 4, 5, 6]
    assert list(work.iterdir()) == []


# What may go wrong on the way


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, FileNotFoundError),
        (410, FileNotFoundError),
        (403, PermissionError),
        (401, PermissionError),
        (500, OSError),
        (503, OSError),
    ],
)
def test_an_http_error_names_the_url_without_its_query(http_root, status, kind):
    url = http_root.url(f"answer/{status}/a.pdf?sig=s3cr3t&id=77001")
    url = url.replace("://", "://me:pass-w0rd@")
    with pytest.raises(OSError) as caught:  # noqa: PT011 (the kind is checked next)
        look(url)

    assert type(caught.value) is kind
    text = everything_said(caught.value)
    assert f"/answer/{status}/a.pdf" in text
    for secret in ("s3cr3t", "77001", "pass-w0rd"):
        assert secret not in text


def everything_said(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def test_a_host_that_does_not_answer_is_no_missing_file():
    url = "http://127.0.0.1:9/a.pdf?token=abc123"
    with pytest.raises(OSError, match="Connect") as caught:
        look(url)

    assert not isinstance(caught.value, FileNotFoundError)
    assert "abc123" not in everything_said(caught.value)


def test_a_download_that_ends_early_is_no_pdf_of_half_the_size(http_root, work):
    (http_root.folder / "cut").mkdir(exist_ok=True)
    write_pdf(http_root.folder / "cut" / "a.pdf", padding=100_000)
    [ref] = expand(http_root.url("cut/a.pdf"))

    with pytest.raises(OSError, match=r"cut/a\.pdf"), opened(ref, folder=work, limits=LIMITS):
        pass
    assert list(work.iterdir()) == []


def test_a_file_that_shrinks_while_it_is_copied_is_not_taken_for_whole(work):
    class Shrinking(MemoryFileSystem):
        protocol = "shrinking"

        def _open(self, path: str, mode: str = "rb", **options: object) -> object:
            return Shorter(PDF) if mode == "rb" else super()._open(path, mode, **options)

    class Shorter(io.BytesIO):
        size = len(PDF) + 1

    fs = Shrinking()
    fs.pipe_file("/a.pdf", PDF)
    [ref] = expand("/a.pdf", fs=fs)
    with pytest.raises(OSError, match="ended after"), opened(ref, folder=work, limits=LIMITS):
        pass
    assert list(work.iterdir()) == []


def test_a_wrong_password_is_an_error_without_the_password(sftp):
    options = {**sftp.storage_options, "password": "wr0ng"}
    with pytest.raises(OSError, match="Authentication") as caught:
        look(sftp.url("a.pdf"), storage_options=options)

    assert "wr0ng" not in str(caught.value)


def test_an_unknown_protocol_is_said_so():
    with pytest.raises(ValueError, match="Protocol not known: gopher"):
        look("gopher://host/a.pdf")


def test_a_missing_package_is_an_import_error_with_the_pip_line():
    program = (
        "import sys; sys.modules['s3fs'] = None; sys.modules['paramiko'] = None\n"
        "from zhiyipdf.sources import expand\n"
        "for url in ('s3://b/a.pdf', 'sftp://u:pw@h/a.pdf'):\n"
        "    try: list(expand(url))\n"
        "    except ImportError as exc: print(exc)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()

    assert first.startswith("s3://b/a.pdf: ")
    assert first.endswith("pip install s3fs")
    assert second.startswith("sftp://h/a.pdf: ")
    assert second.endswith("pip install paramiko")


def test_a_slow_download_is_given_the_time_it_needs():
    fs, _ = filesystem_of("http://host/a.pdf", {})
    assert fs.client_kwargs["timeout"].total is None
    fs, _ = filesystem_of("https://host/a.pdf", {"client_kwargs": {"timeout": 7}})
    assert fs.client_kwargs["timeout"] == 7


def test_one_download_is_one_get(http_root):
    write_pdf(http_root.folder / "once.pdf", padding=9_000_000)
    look(http_root.url("once.pdf?v=once"))

    assert [r for r in http_root.requests if "v=once" in r and r.startswith("GET")] == [
        "GET /once.pdf?v=once"
    ]


# Credentials and names


def test_a_login_in_the_url_opens_it_and_is_seen_nowhere(sftp, caplog):
    write_pdf(sftp.root / "secret.pdf")
    caplog.set_level(logging.DEBUG, logger="zhiyipdf")
    url = f"sftp://reader:open-sesame!1@127.0.0.1:{sftp.port}/secret.pdf"
    options = {"look_for_keys": False, "allow_agent": False}
    [ref] = expand(url, storage_options=options)
    with opened(ref, folder=None, limits=LIMITS) as source:
        assert source.uri == f"sftp://127.0.0.1:{sftp.port}/secret.pdf"
        assert source.name == "secret.pdf"
    assert "sesame" not in caplog.text + repr(ref) + repr(ref.place) + repr(source)


def test_a_signed_url_keeps_its_document_and_loses_its_signature(http_root):
    write_pdf(http_root.folder / "signed.pdf")
    url = http_root.url("signed.pdf?id=7&X-Amz-Date=20260101T000000Z&X-Amz-Signature=abc&page=2")
    [source] = look(url)

    assert source.uri == http_root.url("signed.pdf?id=7&page=2")
    assert source.name == "signed.pdf"
    assert any("X-Amz-Signature=abc" in request for request in http_root.requests)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("sftp://me:secret@host:22/a@b.pdf", "sftp://host:22/a@b.pdf"),
        ("sftp://me:p#w?x@host/a.pdf", "sftp://host/a.pdf"),
        ("https://me@host/a.pdf", "https://host/a.pdf"),
        ("https://host/a.pdf?to=you@there", "https://host/a.pdf?to=you@there"),
        ("https://host/a.pdf?sig=x", "https://host/a.pdf"),
        ("https://host/a.pdf?a=1&access_token=x#p2", "https://host/a.pdf?a=1#p2"),
        ("https://host/a.pdf?a=1#token=2", "https://host/a.pdf?a=1#token=2"),
        ("zip://a.pdf::sftp://u:p@host/z.zip", "zip://a.pdf::sftp://host/z.zip"),
        ("s3://bucket/user@host/a.pdf", "s3://bucket/user@host/a.pdf"),
        ("abfs://container@account.dfs.core.windows.net/a.pdf",) * 2,
        ("github://org:repo@main/a.pdf",) * 2,
        ("/home/a:b@c/d.pdf?token=1",) * 2,
        ("C://me:x@y/d.pdf",) * 2,
    ],
)  # fmt: skip
def test_the_public_form_of_a_url_has_no_credentials(written, shown):
    assert public_uri(written) == shown
    assert public_uri(shown) == shown


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("folder/a.pdf", "a.pdf"),
        ("https://host/dir/my%20paper.pdf?x=/y.pdf#z", "my paper.pdf"),
        ("https://host/?file=a.pdf", "document.pdf"),
        ("https://host", "document.pdf"),
        ("https://host/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://host/a%0Ab.pdf", "a_b.pdf"),
        ("s3://bucket/100%25?.pdf", "100%25?.pdf"),
        ("simplecache::s3://b/k.pdf", "k.pdf"),
        ("zip://in/a.pdf::s3://b/z.zip", "a.pdf"),
        ("zip://::s3://b/z.zip", "z.zip"),
    ],
)
def test_the_name_is_the_last_part_of_the_path(text, name):
    assert file_name(text) == name


SECRET = st.text(alphabet="abcxyzABC0123456789!$%*_-.", min_size=6, max_size=20)


@given(
    SECRET, st.sampled_from(["sftp", "ftp", "http", "https", "s3", "smb", "webdav"]), st.booleans()
)
def test_no_password_survives_in_what_is_shown(password, scheme, chained):
    password = f"PW{password}PW"
    url = f"{scheme}://someone:{password}@host/a.pdf"
    url = f"zip://x.pdf::{url}" if chained else url

    assert password not in public_uri(url)
    assert password not in file_name(url)
    assert password not in scrubbed(f"cannot open {url!r} with {password}", url)


# Refusals


def refused(item: object, limits: Limits = LIMITS) -> InputError:
    [ref] = expand(item)
    with pytest.raises(InputError) as caught, opened(ref, folder=None, limits=limits):
        pass
    assert caught.value.source == ref.uri
    assert ref.uri in str(caught.value)
    return caught.value


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"")

    assert type(refused(tmp_path / "a.pdf")) is EmptyFile
    assert type(refused(b"")) is EmptyFile


@pytest.mark.parametrize(
    "content", [b"hello", b"<html>%PDF</html>", b" " * 1020 + b"%PDF-1.7", b"\0" * 2000]
)
def test_what_is_no_pdf_is_refused_whatever_its_name(tmp_path, content):
    (tmp_path / "a.pdf").write_bytes(content)

    assert type(refused(tmp_path / "a.pdf")) is NotAPDF


@pytest.mark.parametrize(
    "junk", [b"\xef\xbb\xbf", b"\r\n" * 100, b"x" * 1000], ids=["bom", "lines", "1000 bytes"]
)
def test_a_pdf_after_some_other_bytes_is_a_pdf(junk):
    [source] = look(junk + PDF)

    assert len(source.pages) == 2


def test_a_pdf_without_pdf_in_its_name_is_a_pdf(tmp_path):
    assert len(look(write_pdf(tmp_path / "README"))) == 1


def test_a_cut_pdf_is_refused(tmp_path, pdf_dir):
    whole = (pdf_dir / "us-017.pdf").read_bytes()
    for share in (0.01, 0.1, 0.3):
        cut = tmp_path / "cut.pdf"
        cut.write_bytes(whole[: int(len(whole) * share)])
        assert type(refused(cut)) is InvalidPDF


def test_a_pdf_that_needs_a_password_is_refused(pdf_dir):
    assert type(refused(pdf_dir / "r6-both-passwords.pdf")) is EncryptedPDF


def test_a_pdf_with_an_owner_password_only_converts(pdf_dir):
    assert len(look(pdf_dir / "r4-owner-password.pdf")) == 1


def test_a_file_of_exactly_the_limit_is_taken_and_one_byte_more_refused(tmp_path):
    path = write_pdf(tmp_path / "a.pdf")
    size = path.stat().st_size
    [ref] = expand(path)
    with opened(ref, folder=None, limits=Limits(max_file_bytes=size)) as source:
        assert source.size_bytes == size

    for item in (path, path.read_bytes()):
        error = refused(item, Limits(max_file_bytes=size - 1))
        assert isinstance(error, FileTooLarge)
        assert (error.size_bytes, error.limit_bytes) == (size, size - 1)
        assert f"{size - 1:,}" in str(error)


def test_the_services_own_limit_is_300_mib(tmp_path):
    path = tmp_path / "a.pdf"
    small = write_pdf(path).stat().st_size
    large = write_pdf(path, padding=300 * 1024 * 1024 - small - 100).stat().st_size
    assert 300 * 1024 * 1024 - 100 < large <= 300 * 1024 * 1024
    assert len(look(path)) == 1

    with path.open("ab") as file:
        file.truncate(300 * 1024 * 1024 + 1)
    assert isinstance(refused(path), FileTooLarge)


def test_an_endless_stream_is_given_up_at_the_limit(work):
    class Endless(io.RawIOBase):
        served = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            self.served += size
            return b"%PDF-1.7" + b"\0" * (size - 8)

    stream, limits = Endless(), Limits(max_file_bytes=5_000_000)
    [ref] = expand(stream)
    with pytest.raises(FileTooLarge), opened(ref, folder=work, limits=limits):
        pass

    assert stream.served < 8_000_000
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("server", ["s3", "sftp", "http"])
def test_a_remote_file_is_given_up_at_the_limit(request, tmp_path, work, server):
    path = write_pdf(tmp_path / "a.pdf", padding=4_000_000)
    size, options = path.stat().st_size, {}
    match server:
        case "s3":
            s3 = request.getfixturevalue("s3")
            url, options = s3.put("large.pdf", path.read_bytes()), s3.storage_options
        case "sftp":
            sftp = request.getfixturevalue("sftp")
            shutil.copy(path, sftp.root / "large.pdf")
            url, options = sftp.url("large.pdf"), sftp.storage_options
        case _:
            root = request.getfixturevalue("http_root")
            shutil.copy(path, root.folder / "large.pdf")
            url = root.url("large.pdf")

    [ref] = expand(url, storage_options=options)
    limits = Limits(max_file_bytes=3_000_000)
    with pytest.raises(FileTooLarge) as caught, opened(ref, folder=work, limits=limits):
        pass
    # Streamed http does not say its size: it is given up when the limit is passed.
    assert caught.value.size_bytes == (None if server == "http" else size)
    assert caught.value.source == url
    assert list(work.iterdir()) == []


def test_pages_over_the_limit_are_refused_and_exactly_the_limit_is_not(tmp_path):
    assert len(look(write_pdf(tmp_path / "a.pdf", pages=800))[0].pages) == 800

    error = refused(write_pdf(tmp_path / "b.pdf", pages=801))
    assert isinstance(error, TooManyPages)
    assert (error.pages, error.limit_pages) == (801, 800)


def test_only_pages_that_can_be_loaded_count(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=801, broken=[400])

    assert len(look(path)[0].pages) == 800


def test_the_first_reason_in_order_is_the_one_given(tmp_path):
    small = Limits(max_file_bytes=10, max_pages=1)
    assert type(refused(b"", small)) is EmptyFile
    assert type(refused(b"no pdf, but too large", small)) is FileTooLarge
    assert type(refused(PDF, Limits(max_pages=1))) is TooManyPages
    assert type(refused(pdf_bytes(pages=0), Limits(max_pages=1))) is InvalidPDF


# Threads and processes


def test_many_sources_at_once_keep_apart(work):
    refs = [next(expand(pdf_bytes(pages=n))) for n in range(1, 17)]
    start = threading.Barrier(8)

    def pages(ref: SourceRef) -> int:
        start.wait(10)
        with opened(ref, folder=work, limits=LIMITS) as source:
            return len(source.pages)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(pages, refs)) == list(range(1, 17))
    assert list(work.iterdir()) == []


def test_listed_by_the_parent_and_opened_by_a_forked_child(s3, tmp_path):
    url = s3.put(f"{s3.folder()}/a.pdf", PDF)
    [ref] = expand(url, storage_options=s3.storage_options)
    answer: multiprocessing.Queue[int] = multiprocessing.get_context("fork").Queue()

    def pages() -> None:
        with opened(ref, folder=tmp_path, limits=LIMITS) as source:
            answer.put(len(source.pages))

    child = multiprocessing.get_context("fork").Process(target=pages)
    child.start()
    assert answer.get(timeout=30) == 2
    child.join(30)


# Real files


@pytest.mark.corpus
def test_every_real_pdf_has_the_outcome_of_the_manifest(corpus_dir):
    errors = {
        "not_pdf": NotAPDF,
        "invalid": InvalidPDF,
        "encrypted": EncryptedPDF,
        "page_limit": TooManyPages,
    }
    for entry in json.loads((corpus_dir / "manifest.json").read_text())["files"]:
        outcome, reason = entry["expected"]["outcome"], entry["expected"]["reason"]
        [ref] = expand(corpus_dir / entry["file"])
        source, error = None, None
        try:
            [source] = look(ref.place)
        except InputError as exc:
            error = exc
        if source is None:
            assert outcome in {"rejected", "split", "either"}, (entry["file"], error)
            assert isinstance(error, errors[reason]), (entry["file"], error)
            assert error.source == ref.uri
        else:
            assert outcome in {"converts", "either"}, entry["file"]
            assert (source.sha256, source.size_bytes) == (entry["sha256"], entry["size"])
            assert len(source.pages) == entry["pages"], entry["file"]


@pytest.mark.corpus
def test_the_folder_of_real_pdfs_is_listed_whole(corpus_dir):
    files = json.loads((corpus_dir / "manifest.json").read_text())["files"]

    assert sorted(names(corpus_dir)) == sorted(entry["file"] for entry in files)
