from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.archive import decode_file_name, result_stem, write_archive
from zhiyipdf.server.png import encode_png


def test_a_png_holds_the_pixels_without_the_padding_of_rows() -> None:
    pixels = b"\x01\x02\x03\x04\x05\x06\xff\xff" + b"\x07\x08\x09\x0a\x0b\x0c"
    png = encode_png(pixels, width=2, height=2, stride=8, channels=3)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (2, 2)
    start = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    content = png[start + 4 : start + 4 + length]
    assert zlib.decompress(content) == (b"\0\x01\x02\x03\x04\x05\x06\0\x07\x08\x09\x0a\x0b\x0c")
    (checksum,) = struct.unpack(">I", png[start + 4 + length : start + 8 + length])
    assert checksum == zlib.crc32(b"IDAT" + content)


@pytest.mark.parametrize(
    ("width", "height", "stride", "channels"),
    [(2, 2, 2, 3), (2, 9, 8, 3), (0, 1, 8, 3), (2, 2, 8, 2)],
)
def test_a_png_of_numbers_that_do_not_fit_is_refused(
    width: int, height: int, stride: int, channels: int
) -> None:
    with pytest.raises(ValueError, match="pixel"):
        encode_png(bytes(16), width=width, height=height, stride=stride, channels=channels)


@given(st.text())
def test_a_stem_is_a_safe_file_name(name: str) -> None:
    stem = result_stem(name)
    assert stem
    assert len(stem.encode()) <= 200
    assert not set(stem) & set('/\\<>:"|?*\0\n')
    assert not stem.startswith(".")
    assert stem == stem.strip()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.pdf", "a"),
        ("a.b.pdf", "a.b"),
        ("a.txt", "a.txt"),
        ("C:\\x\\报告.PDF", "报告"),
        ("../../etc/passwd", "passwd"),
        (".pdf", "document"),
        ("nul.pdf", "_nul"),
        ("e\u0301.pdf", "\u00e9"),
    ],
)
def test_stems_of_uploads(name: str, stem: str) -> None:
    assert result_stem(name) == stem


def test_a_long_name_is_cut_between_characters() -> None:
    stem = result_stem("报" * 200 + ".pdf")
    assert stem == "报" * 66


@given(st.binary(max_size=40))
def test_any_bytes_are_some_file_name(raw: bytes) -> None:
    assert isinstance(decode_file_name(raw), str)


def test_the_archive_has_the_real_services_layout(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1-2.png").write_bytes(b"picture")
    target = tmp_path / "result.zip"
    write_archive(
        target,
        stem="报告",
        variants={"original": "一", "translated": "one", "bilingual": "一 one"},
        pictures=tmp_path / "images",
    )
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == [
            "报告.md",
            "报告_translated.md",
            "报告_bilingual.md",
            "images/1-2.png",
        ]
        assert archive.getinfo("报告.md").flag_bits & 0x800  # UTF-8 names, APPNOTE 4.4.4
        assert archive.read("报告.md").decode() == "一"
        assert archive.read("images/1-2.png") == b"picture"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["result.zip"]


def test_equal_content_gives_equal_archives(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_archive(
            tmp_path / f"{name}.zip", stem="x", variants={"original": "text"}, pictures=None
        )
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
