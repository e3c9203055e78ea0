from __future__ import annotations

import pytest

from zhiyipdf.errors import ProtocolError
from zhiyipdf.transport import Origin

PREFIX = "/api/pdf-to-markdown-proxy/download/"
HOSTED = Origin.parse("https://www.zhiyipdf.com")


@pytest.mark.parametrize(
    "url",
    [
        "http://www.zhiyipdf.com",
        "ftp://www.zhiyipdf.com",
        "www.zhiyipdf.com",
        "https://user:pass@www.zhiyipdf.com",
        "https://www.zhiyipdf.com?api_key=sk-1",
        "",
    ],
)
def test_a_base_url_that_could_leak_a_key_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Origin.parse(url)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"])
def test_plain_http_is_allowed_on_loopback(host: str) -> None:
    assert Origin.parse(f"http://{host}/").url("/x").endswith(":8765/x")


def test_a_refused_base_url_is_not_repeated_with_its_secrets() -> None:
    with pytest.raises(ValueError, match="https") as caught:
        Origin.parse("ftp://user:sk-secret@host/?api_key=sk-secret")
    assert "sk-secret" not in str(caught.value)


def test_a_relative_download_address_is_resolved() -> None:
    address = HOSTED.own_url(PREFIX + "1", prefix=PREFIX)
    assert address in (
        f"https://www.zhiyipdf.com{PREFIX}1",
        f"https://www.zhiyipdf.com:443{PREFIX}1",
    )


@pytest.mark.parametrize(
    "reference",
    [
        "https://evil.example/api/pdf-to-markdown-proxy/download/1",
        "//evil.example/api/pdf-to-markdown-proxy/download/1",
        "http://www.zhiyipdf.com/api/pdf-to-markdown-proxy/download/1",
        "https://www.zhiyipdf.com:444/api/pdf-to-markdown-proxy/download/1",
        "https://www.zhiyipdf.com@evil.example/api/pdf-to-markdown-proxy/download/1",
        "https://me@www.zhiyipdf.com/api/pdf-to-markdown-proxy/download/1",
        "/api/pdf-to-markdown-proxy/download/../../../other",
        "/api/pdf-to-markdown-proxy/download/%2e%2e/x",
        "/elsewhere/1",
        "https://www.zhiyipdf.com:99999/api/pdf-to-markdown-proxy/download/1",
    ],
)
def test_an_address_that_is_not_the_services_own_is_refused(reference: str) -> None:
    with pytest.raises(ProtocolError):
        HOSTED.own_url(reference, prefix=PREFIX)


def test_a_query_in_a_download_address_is_dropped() -> None:
    address = HOSTED.own_url(PREFIX + "1?api_key=sk-1", prefix=PREFIX)
    assert "?" not in address


def test_a_base_path_stays_in_front() -> None:
    mounted = Origin.parse("https://example.org/zhiyi/")
    assert mounted.url("/api/x") == "https://example.org:443/zhiyi/api/x"
