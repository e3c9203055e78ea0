"""Opens a page in Debian's Chromium, without a window and without the network."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

import pytest

PATIENCE_S = 120
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
)

needs_chromium = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")


def dom_of(url: str) -> str:
    """The document as it is after its script has run, written as HTML."""
    assert PROGRAM is not None
    # A folder of its own: a browser that is already running would take the page over. Chromium's
    # children may still write there when it has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            [
                PROGRAM,
                *FLAGS,
                f"--user-data-dir={profile}",
                "--virtual-time-budget=5000",
                "--dump-dom",
                url,
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        )
    return done.stdout
