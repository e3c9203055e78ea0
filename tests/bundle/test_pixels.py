"""How many pixels a picture has, from bytes made by hand."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.bundle.pixels import pixels_of


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def frame(marker: int) -> bytes:
    return segment(marker, struct.pack(">BHHB", 8, 300, 400, 1) + b"\x01\x11\x00")


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments)


def webp(kind: bytes, content: bytes) -> bytes:
    chunk = kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


APP0 = segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
EXIF = segment(0xE1, b"Exif\x00\x00" + b"\xff\xc0\x00\x11\x08\x00\x01\x00\x01" * 9)
TABLE = segment(0xC4, b"\x00" * 20)  # DHT: its marker lies among those of frames
BMP_INFO = b"BM" + struct.pack("<IHHI", 60, 0, 0, 54)
PICTURES = {
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 400, 300) + b"\x08\x02",
    "gif 87": b"GIF87a" + struct.pack("<HH", 400, 300) + b"\xf7\x00\x00",
    "gif 89": b"GIF89a" + struct.pack("<HH", 400, 300) + b"\xf7\x00\x00",
    "bmp": BMP_INFO + struct.pack("<Iii", 40, 400, 300),
    "bmp upside down": BMP_INFO + struct.pack("<Iii", 40, 400, -300),
    "bmp of OS/2": BMP_INFO + struct.pack("<IHH", 12, 400, 300),
    "jpeg": jpeg(APP0, TABLE, frame(0xC0)),
    "jpeg, progressive": jpeg(APP0, EXIF, frame(0xC2)),
    "jpeg, arithmetic": jpeg(frame(0xCA)),
    "jpeg, fill bytes": jpeg(APP0, b"\xff\xff\xff", frame(0xC0)),
    "webp, lossy": webp(b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 400, 300)),
    "webp, lossy and scaled": webp(
        b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 400 | 1 << 14, 300 | 2 << 14)
    ),
    "webp, lossless": webp(b"VP8L", b"\x2f" + struct.pack("<I", 399 | 299 << 14)),
    "webp, extended": webp(
        b"VP8X", b"\x10\x00\x00\x00" + (399).to_bytes(3, "little") + (299).to_bytes(3, "little")
    ),
}


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_pictures_size_is_read_from_its_head(content):
    assert pixels_of(io.BytesIO(content + b"\x00" * 100)) == (400, 300)


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_picture_that_is_cut_off_before_its_size_has_none(content):
    known = [pixels_of(io.BytesIO(content[:end])) for end in range(len(content) + 1)]

    assert set(known) == {None, (400, 300)}
    assert known == sorted(known, key=bool)  # from some length on it is known


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='4' height='3'/>",
        b"RIFF\x00\x00\x00\x00WAVEfmt " + b"\x01" * 30,
        webp(b"JUNK", b"\x01" * 30),
        webp(b"VP8 ", b"\x01" * 30),
        webp(b"VP8L", b"\x01" * 30),
        jpeg(APP0, b"\x00\x00", frame(0xC0)),
        jpeg(segment(0xDA, b"\x00" * 10), b"\x12\x34"),
        jpeg(b"\xff\xe0\x00\x00"),
        jpeg(b"\xff" * 1000),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 0, 300),
        b"GIF89a" + struct.pack("<HH", 400, 0),
        BMP_INFO + struct.pack("<Iii", 40, -400, 300),
    ],
)
def test_what_is_no_picture_of_a_known_format_has_none(content):
    assert pixels_of(io.BytesIO(content)) is None


def test_a_jpeg_of_endless_segments_is_given_up():
    assert pixels_of(io.BytesIO(jpeg(*[segment(0xE0, b"")] * 100_000, frame(0xC0)))) is None


@given(st.sampled_from(sorted(PICTURES)), st.data())
def test_damaged_pictures_never_raise(name, data):
    content = bytearray(PICTURES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    found = pixels_of(io.BytesIO(bytes(content)))

    assert found is None or min(found) > 0


@given(st.binary(max_size=60), st.sampled_from([b"", b"\xff\xd8\xff", b"RIFF", b"BM", b"GIF89a"]))
def test_any_bytes_never_raise(content, head):
    found = pixels_of(io.BytesIO(head + content))

    assert found is None or min(found) > 0
