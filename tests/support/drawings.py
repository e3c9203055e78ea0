"""Write PDFs whose pages are drawn by hand: any boxes, rotation, letters, pictures and forms."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A page.

    ``/F1`` is Helvetica, ``/F2`` Helvetica whose letters mean what ``letters`` of
    :func:`write_drawings` says, ``/F3`` a font that claims to be four ems high,
    ``/P1`` a black picture of one pixel.

    Attributes:
        content: The content stream, Latin-1.
        media: Media box.
        crop: Crop box, if there is one.
        rotate: Degrees, a multiple of 90.
    """

    content: str
    media: Rectangle = (0, 0, 200, 100)
    crop: Rectangle | None = None
    rotate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form XObject, drawn by its name.

    Attributes:
        content: Its content stream.
        matrix: From its space to that of whoever draws it.
        box: Its bounding box.
    """

    content: str
    matrix: Sequence[float] = (1, 0, 0, 1, 0, 0)
    box: Rectangle = (-1000, -1000, 1000, 1000)


@dataclass(slots=True)
class _File:
    bodies: list[bytes] = field(default_factory=list)

    def add(self, body: bytes) -> int:
        self.bodies.append(body)
        return len(self.bodies)

    def stream(self, entries: str, content: bytes) -> int:
        head = f"<< {entries} /Length {len(content)} >>\nstream\n".encode()
        return self.add(head + content + b"\nendstream")


def text(x: float, y: float, words: str, *, size: float = 10, font: str = "F1") -> str:
    """Content that shows Latin words with their base line at a point."""
    return f"BT /{font} {size} Tf {x} {y} Td ({words}) Tj ET\n"


def picture(x: float, y: float, width: float, height: float) -> str:
    """Content that draws a black rectangle as a picture."""
    return f"q {width} 0 0 {height} {x} {y} cm /P1 Do Q\n"


def noisy_pdf(path: Path, *, side: float = 600) -> Path:
    """Write a square page that is all coloured noise, as of a scan, the same each time."""
    pixels = 1000
    noise = random.Random(5).randbytes(3 * pixels * pixels)
    file = _File()
    catalog, tree = file.add(b""), file.add(b"")
    image = file.stream(
        f"/Type /XObject /Subtype /Image /Width {pixels} /Height {pixels} /ColorSpace /DeviceRGB "
        "/BitsPerComponent 8",
        noise,
    )
    content = file.stream("", f"{side} 0 0 {side} 0 0 cm /P1 Do".encode())
    page = file.add(
        f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {side} {side}] /Contents {content} 0 R "
        f"/Resources << /XObject << /P1 {image} 0 R >> >> >>".encode()
    )
    file.bodies[catalog - 1] = f"<< /Type /Catalog /Pages {tree} 0 R >>".encode()
    file.bodies[tree - 1] = f"<< /Type /Pages /Count 1 /Kids [{page} 0 R] >>".encode()
    path.write_bytes(_assembled(file.bodies))
    return path


def write_drawings(
    path: Path,
    drawings: Sequence[Drawing],
    *,
    forms: Mapping[str, Form] | None = None,
    letters: Mapping[str, str] | None = None,
) -> Path:
    """Write a PDF and return its path.

    Args:
        path: Where to.
        drawings: The pages.
        forms: By name; a form may draw those before it.
        letters: What letters of ``/F2`` mean, any Unicode; empty for nothing.
    """
    file = _File()
    catalog, tree = file.add(b""), file.add(b"")
    helvetica = "/Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding"
    plain = file.add(f"<< {helvetica} >>".encode())
    meaning = file.stream("", _unicode_map(letters or {}))
    meant = file.add(f"<< {helvetica} /ToUnicode {meaning} 0 R >>".encode())
    descriptor = file.add(
        b"<< /Type /FontDescriptor /FontName /High /Flags 32 /Ascent 1000 /Descent -3000 "
        b"/ItalicAngle 0 /CapHeight 700 /StemV 80 /FontBBox [0 -3000 1000 1000] >>"
    )
    high = file.add(
        f"<< /Type /Font /Subtype /TrueType /BaseFont /High /Encoding /WinAnsiEncoding /FirstChar "
        f"61 /LastChar 61 /Widths [600] /FontDescriptor {descriptor} 0 R >>".encode()
    )
    pixel = file.stream(
        "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray "
        "/BitsPerComponent 8",
        b"\0",
    )
    things = f"/P1 {pixel} 0 R"
    fonts = f"/Font << /F1 {plain} 0 R /F2 {meant} 0 R /F3 {high} 0 R >>"
    for name, form in (forms or {}).items():
        number = file.stream(
            f"/Type /XObject /Subtype /Form /BBox {_array(form.box)} /Matrix "
            f"{_array(form.matrix)} /Resources << {fonts} /XObject << {things} >> >>",
            form.content.encode("cp1252"),
        )
        things += f" /{name} {number} 0 R"
    kids = []
    for page in drawings:
        content = file.stream("", page.content.encode("cp1252"))
        crop = f"/CropBox {_array(page.crop)}" if page.crop else ""
        kids.append(
            file.add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox {_array(page.media)} {crop} "
                f"/Rotate {page.rotate} /Contents {content} 0 R "
                f"/Resources << {fonts} /XObject << {things} >> >> >>".encode()
            )
        )
    file.bodies[catalog - 1] = f"<< /Type /Catalog /Pages {tree} 0 R >>".encode()
    references = " ".join(f"{kid} 0 R" for kid in kids)
    file.bodies[tree - 1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{references}] >>".encode()
    path.write_bytes(_assembled(file.bodies))
    return path


def _unicode_map(letters: Mapping[str, str]) -> bytes:
    rows = "\n".join(
        f"<{ord(letter):02X}> <{meaning.encode('utf-16-be').hex()}>"
        for letter, meaning in letters.items()
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /M def\n"
        "1 begincodespacerange <00> <FF> endcodespacerange\n"
        f"{len(letters)} beginbfchar\n{rows}\nendbfchar\nendcmap end end"
    ).encode()


def _array(numbers: Sequence[float]) -> str:
    return "[" + " ".join(str(number) for number in numbers) + "]"


def _assembled(bodies: Sequence[bytes]) -> bytes:
    content, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    xref = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    content += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    content += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(bodies) + 1)
    content += b"startxref\n%d\n%%%%EOF\n" % xref
    return bytes(content)
