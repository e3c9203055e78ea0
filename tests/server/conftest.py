"""Servers for the tests of the embedded server."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support import scripted_engine
from support.embedded import Running, running
from zhiyipdf.server.settings import ServerSettings


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start servers with the scripted engine; each keyword is a setting, or one of running()'s."""
    numbers = itertools.count()
    with ExitStack() as stack:

        def start(
            *, points: int = 1000, clock: Callable[[], float] | None = None, **settings: Any
        ) -> Running:
            settings = {
                "folder": tmp_path / f"server{next(numbers)}",
                "engine": scripted_engine.NAME,
                "workers": 3,
                **settings,
            }
            extra = {} if clock is None else {"clock": clock}
            return stack.enter_context(running(ServerSettings(**settings), points=points, **extra))

        yield start


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that really converts."""
    settings = ServerSettings(folder=tmp_path_factory.mktemp("real"), workers=2)
    with running(settings, points=1_000_000) as api:
        yield api
