"""One store for all tests that convert on the embedded server, so each PDF is converted once."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store's folder; what one test converted, the next one finds there."""
    return str(tmp_path_factory.mktemp("store"))
