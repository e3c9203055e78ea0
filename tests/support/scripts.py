"""Programs that tests run in a process of their own: signals, forks and exits end processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import dedent
from typing import IO

PATIENCE_S = 60.0
"""A program that takes longer hangs: the tests' own work takes milliseconds."""


def run_script(
    source: str, *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; with ``check`` a failure shows what it said."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", dedent(source), *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=os.environ | {"PYTHONFAULTHANDLER": "1"},
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@contextmanager
def running(source: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Start a program; yields it and its output, to be read line by line."""
    with subprocess.Popen(
        [sys.executable, "-c", dedent(source)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(PATIENCE_S, process.kill)  # ends a read that would never end
        watchdog.start()
        try:
            yield process, process.stdout
        finally:
            watchdog.cancel()
            process.kill()
