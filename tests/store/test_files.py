from __future__ import annotations

import stat
import threading
import urllib.request
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.store import Files


@pytest.fixture(params=["local", "memory", "s3", "sftp"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    match request.param:
        case "local":
            return Files(str(tmp_path / "a folder"))
        case "memory":
            return Files(f"memory://store-{tmp_path.name}-{id(tmp_path)}")
        case "s3":
            s3 = request.getfixturevalue("s3")
            return Files(s3.url(f"store-{tmp_path.name}"), s3.storage_options)
        case _:
            sftp = request.getfixturevalue("sftp")
            return Files(sftp.url(f"store-{tmp_path.name}"), sftp.storage_options)


def test_what_was_published_can_be_read_measured_and_copied(files: Files, tmp_path: Path) -> None:
    files.publish("a/b.txt", b"hello")
    assert files.read("a/b.txt") == b"hello"
    assert files.size("a/b.txt") == 5
    assert files.copy_to("a/b.txt", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"hello"


def test_a_local_file_can_be_published(files: Files, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(300_000))
    files.publish("x/big", tmp_path / "big")
    assert files.size("x/big") == 300_000


def test_publishing_again_replaces_the_file(files: Files) -> None:
    files.publish("a", b"one")
    files.publish("a", b"two!")
    assert files.read("a") == b"two!"


def test_what_is_not_there_is_none_and_not_an_error(files: Files, tmp_path: Path) -> None:
    assert files.read("none") is None
    assert files.size("none") is None
    assert not files.copy_to("none", tmp_path / "copy")
    files.remove("none")


def test_a_removed_file_is_gone(files: Files) -> None:
    files.publish("a", b"one")
    files.remove("a")
    assert files.read("a") is None


def test_an_address_can_be_opened_by_anyone(files: Files) -> None:
    files.publish("pictures/ä b.png", b"png")
    uri = files.uri("pictures/ä b.png")
    if uri.startswith("file:"):
        # fsspec takes file:// addresses literally; everybody else decodes them (RFC 8089).
        with urllib.request.urlopen(uri) as response:
            assert response.read() == b"png"
    else:
        with fsspec.open(uri, "rb", **files._options) as file:
            assert file.read() == b"png"


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    contents = [bytes([n]) * 2_000_000 for n in range(4)]
    files.publish("x", contents[0])
    torn, stop = [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen = files.read("x")
            if seen not in contents:
                torn.append(len(seen or b""))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        for content in contents:
            files.publish("x", content)
    stop.set()
    reader.join()
    assert torn == []


def test_a_failed_publication_leaves_nothing_behind(tmp_path: Path) -> None:
    files = Files(str(tmp_path / "store"))
    with pytest.raises(OSError, match="gone"):
        files.publish("a/b", tmp_path / "gone")
    assert [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_private_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    Files(str(tmp_path)).publish("record", b"x", private=True)
    assert stat.S_IMODE((tmp_path / "record").stat().st_mode) == 0o600


def test_a_local_address_is_a_file_uri_with_its_spaces_escaped(tmp_path: Path) -> None:
    uri = Files(str(tmp_path / "a folder")).uri("x.png")
    assert uri.startswith("file:///")
    assert uri.endswith("/a%20folder/x.png")


@given(st.binary(max_size=2000))
def test_bytes_come_back_as_they_were(content: bytes) -> None:
    files = Files("memory://bytes")
    files.publish("x", content)
    assert files.read("x") == content
