from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhiyipdf.server.upload import BadForm, FileTooLarge, Form, NotAPdf, receive_form

BOUNDARY = "frontier"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 20 + b"\r\n--front\r\n"


def _part(name: str, content: bytes, file_name: str | bytes | None = None) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
    if file_name is not None:
        raw = file_name if isinstance(file_name, bytes) else file_name.encode()
        head += b'; filename="' + raw + b'"\r\nContent-Type: application/pdf'
    return head + b"\r\n\r\n" + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
FORM = _part("table_mode", b"image") + _part("file", PDF, "a.pdf") + _part("x", b" y ") + END


async def _receive(
    chunks: Sequence[bytes], target: Path, *, limit: int = 1 << 20, length: int | None = None
) -> Form:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return await receive_form(
        body(),
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        content_length=length,
        target=target,
        max_file_bytes=limit,
        idle_s=30,
    )


@given(cuts=st.lists(st.integers(1, len(FORM) - 1), max_size=12))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_form_is_the_same_however_the_wire_cuts_it(tmp_path: Path, cuts: list[int]) -> None:
    edges = [0, *sorted(set(cuts)), len(FORM)]
    chunks = [FORM[a:b] for a, b in pairwise(edges)]
    target = tmp_path / "a.pdf"
    form = anyio.run(_receive, chunks, target)
    assert form == Form({"table_mode": "image", "x": "y"}, "a.pdf", len(PDF))
    assert target.read_bytes() == PDF


@given(end=st.integers(0, len(FORM) - len("--\r\n") - 1))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_form_cut_off_anywhere_is_no_form(tmp_path: Path, end: int) -> None:
    with pytest.raises((BadForm, NotAPdf)):
        anyio.run(_receive, [FORM[:end]], tmp_path / "a.pdf")


async def test_the_signature_may_come_within_the_first_1024_bytes(tmp_path: Path) -> None:
    for junk, accepted in ((1019, True), (1020, False)):
        form = _part("file", bytes(junk) + b"%PDF-1.4" + bytes(5000), "a.pdf") + END
        if accepted:
            assert (await _receive([form], tmp_path / "a.pdf")).file_name == "a.pdf"
        else:
            with pytest.raises(NotAPdf):
                await _receive([form], tmp_path / "a.pdf")


async def test_an_empty_file_is_not_a_pdf(tmp_path: Path) -> None:
    with pytest.raises(NotAPdf):
        await _receive([_part("file", b"", "a.pdf") + END], tmp_path / "a.pdf")


async def test_a_file_field_without_a_file_is_no_file(tmp_path: Path) -> None:
    for part in (_part("file", b"text"), _part("file", b"", "")):
        assert (await _receive([part + END], tmp_path / "a.pdf")).file_name is None


async def test_the_limit_is_noticed_while_the_file_arrives(tmp_path: Path) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        yield _part("file", b"%PDF-", "a.pdf")[:-2]
        for _ in range(1000):
            taken += 1
            yield bytes(1000)

    with pytest.raises(FileTooLarge):
        await receive_form(
            body(),
            content_type=f"multipart/form-data; boundary={BOUNDARY}",
            content_length=None,
            target=tmp_path / "a.pdf",
            max_file_bytes=10_000,
            idle_s=30,
        )
    assert taken <= 11


async def test_an_announced_size_above_the_limit_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(FileTooLarge) as caught:
        await _receive([], tmp_path / "a.pdf", limit=1000, length=5_000_000)
    assert caught.value.size == 5_000_000


async def test_chinese_file_names_come_in_utf_8_and_in_gbk(tmp_path: Path) -> None:
    for raw in ("报告.pdf".encode(), "报告.pdf".encode("gbk")):
        form = await _receive([_part("file", PDF, raw) + END], tmp_path / "a.pdf")
        assert form.file_name == "报告.pdf"


@pytest.mark.parametrize(
    "form",
    [
        _part("file", PDF, "a.pdf") * 2 + END,
        _part("x", bytes(100_000)) + END,
        b"".join(_part(f"x{n}", b"") for n in range(100)) + END,
        b"no form at all",
    ],
    ids=["two files", "long field", "many fields", "garbage"],
)
async def test_strange_forms_are_refused(form: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadForm):
        await _receive([form], tmp_path / "a.pdf")
