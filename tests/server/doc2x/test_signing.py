from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.database import open_database
from zhiyipdf.server.doc2x.signing import Signer, load_secret

SIGNER = Signer(b"s" * 32)


def _query(text: str) -> dict[str, str]:
    return dict(part.split("=") for part in text.split("&"))


def test_a_signed_path_opens_until_its_time_for_its_method_only() -> None:
    query = _query(SIGNER.query("PUT", "/objects/a b", expires_at=100.9))
    assert SIGNER.opens("PUT", "/objects/a b", query, now=99)
    assert not SIGNER.opens("PUT", "/objects/a b", query, now=100)
    assert not SIGNER.opens("GET", "/objects/a b", query, now=99)
    assert not SIGNER.opens("PUT", "/objects/a", query, now=99)
    assert not Signer(b"t" * 32).opens("PUT", "/objects/a b", query, now=99)


@given(st.dictionaries(st.sampled_from(["X-Expires", "X-Signature"]), st.text()))
def test_a_guessed_query_opens_nothing(query: dict[str, str]) -> None:
    assert not SIGNER.opens("GET", "/objects/x", query, now=0)


def test_a_token_names_its_account_until_its_time() -> None:
    token = SIGNER.token(7, expires_at=100)
    assert SIGNER.account_of(token, now=99) == 7
    assert SIGNER.account_of(token, now=100) is None
    assert SIGNER.account_of(token.replace("7.", "8.", 1), now=99) is None


@given(st.text())
def test_a_guessed_token_is_nobodys(text: str) -> None:
    assert SIGNER.account_of(text, now=0) is None
    assert SIGNER.account_of(f"acc-{text}", now=0) is None


def test_the_secret_survives_and_differs_between_servers(tmp_path: Path) -> None:
    with open_database(tmp_path / "a") as database:
        first = load_secret(database)
    with open_database(tmp_path / "a") as database:
        assert load_secret(database) == first
    with open_database(tmp_path / "b") as database:
        assert load_secret(database) != first
