from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from support.embedded import PREFIX, Running
from support.scripted_engine import scripted_pdf

Serve = Callable[..., Running]


def _raw(api: Running, *, key: str, body: str = "") -> socket.socket:
    """Announce a body of a million bytes and send only the beginning."""
    host = urlsplit(api.base)
    connection = socket.create_connection((host.hostname, host.port), timeout=30)
    head = (
        f"POST {PREFIX}/parse HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n"
    )
    connection.sendall((head + body).encode())
    return connection


def _tasks_folder(api: Running) -> list[Path]:
    folder = api.settings.folder / "tasks"
    return list(folder.iterdir()) if folder.is_dir() else []


def test_a_file_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(serve: Serve) -> None:
    content = scripted_pdf()
    api = serve(points=100, max_file_bytes=len(content))
    assert api.submit(content)["success"] is True
    response = api.parse(b"%PDF-1.7\n" + content[8:])
    assert response.status_code == 400
    assert response.json()["error_code"] == "parse_file_too_large"
    assert response.json()["file_size"] > response.json()["max_size"] == len(content)
    assert api.points() == 98
    assert len(_tasks_folder(api)) == 1


def test_an_upload_above_the_limit_is_stopped_early(serve: Serve) -> None:
    api = serve(max_file_bytes=100_000, linger_s=0.1)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-'
        for _ in range(10_000):
            sent += 1 << 16
            yield bytes(1 << 16)

    # No Content-Length: only counting can stop it. The client may notice while it still writes.
    try:
        response = api.http.post(
            f"{api.base}{PREFIX}/parse",
            content=endless(),
            headers={
                "Content-Type": "multipart/form-data; boundary=x",
                "Authorization": f"Bearer {api.key}",
            },
        )
    except httpx.TransportError:
        pass
    else:
        assert response.json()["error_code"] == "parse_file_too_large"
    assert sent < 10_000 << 16
    assert _tasks_folder(api) == []


def test_a_wrong_key_is_refused_before_the_body_is_read(serve: Serve) -> None:
    api = serve()
    with _raw(api, key="wrong") as connection:
        assert connection.recv(12) == b"HTTP/1.1 401"


def test_a_refused_client_that_is_still_sending_sees_the_answer(serve: Serve) -> None:
    api = serve()
    response = api.parse(b"no pdf at all" * 500_000)
    assert response.json()["error_code"] == "parse_file_not_pdf"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"table_mode": "html"}, "table_mode"),
        ({"enable_translation": "yes"}, "enable_translation"),
        ({"target_language": "xx"}, "target_language"),
        ({"output_options": "original,summary"}, "output_options"),
        ({"images_as_url": "true"}, "images_as_url"),
    ],
)
def test_a_wrong_option_is_named_and_costs_nothing(
    serve: Serve, fields: dict[str, str], word: str
) -> None:
    api = serve(points=10)
    response = api.parse(scripted_pdf(), **fields)
    assert response.status_code == 400
    assert word in response.json()["message"]
    assert api.points() == 10
    assert _tasks_folder(api) == []


def test_fields_only_the_vendors_clients_send_are_accepted(serve: Serve) -> None:
    api = serve()
    answer = api.submit(
        scripted_pdf(),
        formula_format="dollar",
        skip_rotation_detection="true",
        enable_cross_page_merge="false",
        images_as_url="false",
        enrichment="none",
        output_options="",
    )
    assert answer["status"] == "processing"


def test_a_body_that_ends_early_never_makes_a_task(serve: Serve) -> None:
    api = serve(points=10)
    boundary = "frontier"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    for tail in (b"", b"\r\n", f"\r\n--{boundary}".encode()):
        response = api.http.post(
            f"{api.base}{PREFIX}/parse",
            content=part.encode() + scripted_pdf() + tail,
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "X-API-Key": api.key,
            },
        )
        assert response.status_code == 400
    assert api.points() == 10
    assert _tasks_folder(api) == []


def test_a_client_that_hangs_up_leaves_nothing_behind(serve: Serve) -> None:
    api = serve()
    part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-'
    with _raw(api, key=api.key, body=part):
        api.wait("none", lambda _: _tasks_folder(api))
    api.wait("none", lambda _: not _tasks_folder(api))


def test_an_upload_that_stands_still_is_given_up(serve: Serve) -> None:
    api = serve(upload_idle_s=0.2, linger_s=0)
    with _raw(api, key=api.key) as connection:
        assert connection.recv(12) == b"HTTP/1.1 408"


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("年度报告.pdf", "年度报告.md"),
        ("a/b\\c.PDF", "c.md"),
        ("..pdf", "document.md"),
        ("no suffix", "no suffix.md"),
        ("con.pdf", "_con.md"),
    ],
)
def test_the_markdown_is_named_after_the_upload(serve: Serve, name: str, entry: str) -> None:
    import io
    import zipfile

    api = serve()
    archive = zipfile.ZipFile(io.BytesIO(api.convert(scripted_pdf(), name=name)))
    assert archive.namelist() == [entry]
