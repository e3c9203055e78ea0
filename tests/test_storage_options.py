from __future__ import annotations

import pytest

from zhiyipdf.storage_options import options_for

BY_PROTOCOL = {"s3": {"key": "k"}, "http": {"headers": {"A": "b"}}}


@pytest.mark.parametrize("url", ["s3://b/a.pdf", "http://h/a.pdf", "/local/a.pdf", "a.pdf"])
def test_flat_options_go_everywhere(url: str) -> None:
    assert options_for(url, {"key": "k", "client_kwargs": {"x": 1}}) == {
        "key": "k",
        "client_kwargs": {"x": 1},
    }


@pytest.mark.parametrize(
    ("url", "picked"),
    [
        ("s3://b/a.pdf", {"s3"}),
        ("https://h/a.pdf", {"http"}),
        ("/local/a.pdf", set()),
        ("memory://x", set()),
        ("zip://a.pdf::s3://b/a.zip", {"s3"}),
        ("simplecache::https://h/a.pdf", {"http"}),
    ],
)
def test_options_by_protocol_go_to_their_own(url: str, picked: set[str]) -> None:
    assert set(options_for(url, BY_PROTOCOL)) == picked


def test_an_option_that_happens_to_be_a_mapping_is_not_a_protocol() -> None:
    assert options_for("s3://b", {"client_kwargs": {"x": 1}}) == {"client_kwargs": {"x": 1}}


@pytest.mark.parametrize("options", [None, {}])
def test_no_options_are_no_options(options: dict[str, object] | None) -> None:
    assert options_for("s3://b", options) == {}
