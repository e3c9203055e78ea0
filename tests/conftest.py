"""What every test starts from: no settings of the machine's user, and the PDFs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytest_plugins = ["support.http", "support.local", "support.s3", "support.sftp"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def pdf_dir() -> Path:
    """The PDFs that are part of the repository; tests/data/README.md says what each is for."""
    return HERE / "data"


@pytest.fixture(scope="session")
def corpus_dir() -> Path:
    """The 49 PDFs beside the clone, where they are there."""
    folder = HERE.parent.parent / "shared" / "pdfs"
    if not (folder / "manifest.json").exists():
        pytest.skip("../shared/pdfs is not beside this clone")
    return folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither keys nor caches of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("ZHIYIPDF_", "DOC2X_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
