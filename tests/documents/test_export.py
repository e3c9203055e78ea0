from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import fsspec
import pytest

from support.conversions import asset
from support.s3 import S3
from support.sftp import USER, Sftp
from zhiyipdf.documents.export import as_uri, export_images
from zhiyipdf.models import Asset

CONTENT = {"images/1-1.png": b"one", "images/图 2.png": b"two"}
ASSETS = [asset(name, content) for name, content in CONTENT.items()]


class Shelf:
    """Gives assets' bytes and remembers which were asked for."""

    def __init__(self) -> None:
        self.read_names: list[str] = []
        self._lock = threading.Lock()

    def read(self, asset: Asset) -> bytes:
        with self._lock:
            self.read_names.append(asset.name)
        return CONTENT[asset.name]


def local_path(uri: str) -> Path:
    return Path(url2pathname(urlsplit(uri).path))


def test_pictures_are_written_under_names_made_from_their_content(tmp_path: Path) -> None:
    uris = export_images(ASSETS, read=Shelf().read, image_dir=tmp_path / "a" / "b")
    for picture in ASSETS:
        path = local_path(uris[picture.name])
        assert path.parent == tmp_path / "a" / "b"
        assert path.name == f"{picture.sha256[:32]}.png"
        assert path.read_bytes() == CONTENT[picture.name]


def test_local_uris_are_percent_encoded(tmp_path: Path) -> None:
    uris = export_images(ASSETS, read=Shelf().read, image_dir=tmp_path / "中 文#1")
    uri = uris["images/1-1.png"]
    assert uri.startswith("file:///")
    assert uri.isascii()
    assert " " not in uri
    assert local_path(uri).exists()


def test_what_is_there_already_is_not_read_again(tmp_path: Path) -> None:
    first = export_images(ASSETS, read=Shelf().read, image_dir=tmp_path)
    shelf = Shelf()
    assert export_images(ASSETS, read=shelf.read, image_dir=tmp_path) == first
    assert shelf.read_names == []


def test_half_a_picture_is_written_again(tmp_path: Path) -> None:
    uris = export_images(ASSETS, read=Shelf().read, image_dir=tmp_path)
    broken = local_path(uris["images/1-1.png"])
    broken.write_bytes(b"o")
    shelf = Shelf()
    export_images(ASSETS, read=shelf.read, image_dir=tmp_path)
    assert shelf.read_names == ["images/1-1.png"]
    assert broken.read_bytes() == b"one"


def test_a_failing_read_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(_: Asset) -> bytes:
        raise OSError("the store is gone")

    for image_dir in (str(tmp_path / "x"), f"memory://{tmp_path.name}"):
        with pytest.raises(OSError, match="store is gone"):
            export_images(ASSETS, read=fail, image_dir=image_dir)
        fs, root = fsspec.core.url_to_fs(image_dir)
        assert fs.find(root) == []


def test_the_same_picture_under_two_names_is_written_once(tmp_path: Path) -> None:
    twins = [asset("a.png", b"same"), asset("b.png", b"same")]
    uris = export_images(twins, read=lambda _: b"same", image_dir=tmp_path)
    assert uris["a.png"] == uris["b.png"]
    assert len(list(tmp_path.iterdir())) == 1


def test_only_pictures_are_written(tmp_path: Path) -> None:
    table = asset("tables.json", b"{}", "application/json")
    assert export_images([table], read=Shelf().read, image_dir=tmp_path / "x") == {}
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("media_type", "suffix"), [("image/jpeg", ".jpg"), ("image/webp", ".webp"), ("image/x-no", "")]
)
def test_the_suffix_comes_from_the_media_type(tmp_path: Path, media_type: str, suffix: str) -> None:
    uris = export_images(
        [asset("images/1-1.png", b"one", media_type)], read=Shelf().read, image_dir=tmp_path
    )
    assert local_path(uris["images/1-1.png"]).suffix == suffix


def test_pictures_go_to_s3_once(s3: S3) -> None:
    image_dir = s3.url(f"{s3.folder()}/pictures")
    shelf = Shelf()
    for _ in range(2):
        uris = export_images(
            ASSETS, read=shelf.read, image_dir=image_dir, storage_options=s3.storage_options
        )
    assert sorted(shelf.read_names) == sorted(CONTENT)
    for picture in ASSETS:
        assert uris[picture.name] == f"{image_dir}/{picture.sha256[:32]}.png"
        assert s3.fs().cat_file(uris[picture.name]) == CONTENT[picture.name]


def test_a_bucket_that_is_not_there_is_an_error_and_is_not_made(s3: S3) -> None:
    with pytest.raises(OSError, match="bucket"):
        export_images(
            ASSETS,
            read=Shelf().read,
            image_dir="s3://no-such-bucket-here/x",
            storage_options=s3.storage_options,
        )
    assert not s3.fs().exists("no-such-bucket-here")


def test_pictures_go_to_sftp_and_no_login_to_the_uris(sftp: Sftp) -> None:
    url = f"sftp://{USER}@127.0.0.1/pictures"
    for _ in range(2):
        uris = export_images(
            ASSETS, read=Shelf().read, image_dir=url, storage_options=sftp.storage_options
        )
    name = f"{ASSETS[0].sha256[:32]}.png"
    assert uris["images/1-1.png"] == f"sftp://127.0.0.1/pictures/{name}"
    assert (sftp.root / "pictures" / name).read_bytes() == b"one"
    assert len(list((sftp.root / "pictures").iterdir())) == len(ASSETS)


def test_a_local_path_becomes_a_uri_and_a_url_stays(tmp_path: Path) -> None:
    assert as_uri(str(tmp_path / "a b.png")) == (tmp_path / "a b.png").as_uri()
    for url in ("file:///a%20b.png", "s3://b/x.png", "memory://x"):
        assert as_uri(url) == url
