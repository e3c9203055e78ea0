"""Opens a page in Debian's Chromium, without a window and without the network."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

import pytest

PATIENCE_S = 120
_PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(_PROGRAM is None, reason="chromium is not installed")


def dom_of(url: str) -> str:
    """The document as it is after its script has run, written as HTML."""
    assert _PROGRAM is not None
    # A folder of its own: a browser that is already running would take the page over. Chromium's
    # children may still write there when it has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            [
                _PROGRAM,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--user-data-dir={profile}",
                "--window-size=1400,900",
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
