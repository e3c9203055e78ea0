"""Kill a converting process at a chosen moment."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(__file__).with_name("convert_once.py")
PATIENCE_S = 60.0


@contextmanager
def converting(arguments: Sequence[str], stop: str = "all") -> Iterator[subprocess.Popen[str]]:
    """Start ``convert_once.py``; it is killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-P", str(PROGRAM), *arguments, stop], stdout=subprocess.PIPE, text=True
    ) as process:
        watchdog = threading.Timer(PATIENCE_S, process.kill)  # ends a read that would never end
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def kill_after(stop: str, arguments: Sequence[str]) -> list[str]:
    """Kill a conversion (SIGKILL) once it has stopped where it was told to.

    Returns:
        What it said last, in words: ``stopped NAME STATE``; or its end, if it never came there.
    """
    with converting(arguments, stop) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
        process.wait()
    assert line, "the process ended without a word; its errors are above"
    return line.split()


def convert_again(arguments: Sequence[str]) -> list[str]:
    """Run a conversion to its end; what it said last, in words."""
    with converting(arguments) as process:
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out
    return out.split()
