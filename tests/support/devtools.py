"""Drives Debian's Chromium as a person would: pointer, wheel and keys, over the DevTools protocol.

The protocol goes through a pair of pipes (``--remote-debugging-pipe``): no port, no package.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.chromium import FLAGS, PATIENCE_S, PROGRAM

# Chromium reads commands from descriptor 3 and writes answers to 4.
_LAUNCH = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""

_KEYS = {"ArrowDown": 40, "ArrowUp": 38, "Escape": 27, "Tab": 9}
"""Codes that the browser's own use of a key goes by; letters have their own."""


class Tab:
    """A page in a window of its own.

    Positions are CSS pixels from the top left of the window.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._unread = b""
        self._number = 0
        self._session: dict[str, str] = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        self.call("Page.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Ask for something and wait for the answer; what happened meanwhile is passed over."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._commands, json.dumps(asked).encode() + b"\0")
        while True:
            told = self._message()
            if told.get("id") == self._number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']}")
                result: dict[str, Any] = told["result"]
                return result

    def open(self, url: str, *, width: int = 1400, height: int = 900, dark: bool = False) -> None:
        """Open an address and wait until all of it is there; the pointer is outside the window."""
        scheme = "dark" if dark else "light"
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )
        self.point_at(-10, -10)
        self.call("Page.navigate", url="about:blank")  # or a new fragment would load nothing
        self.call("Page.navigate", url=url)
        self.until("location.href !== 'about:blank' && document.readyState === 'complete'")

    def value(self, script: str) -> Any:
        """What an expression gives, as JSON has it; a promise is waited for."""
        told = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"])
        return told["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true; TimeoutError if it never becomes so."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.value(f"Boolean({script})"):
            if time.monotonic() > deadline:
                raise TimeoutError(script)
            time.sleep(0.02)

    def settle(self) -> None:
        """Let the browser draw what it has to, and tell the page what lies under the pointer."""
        self.value("new Promise(done => setTimeout(() => requestAnimationFrame(done), 400))")

    def middle_of(self, selector: str) -> tuple[float, float]:
        """The middle of the first element that matches."""
        x, y = self.value(
            f"(({{left, top, width, height}}) => [left + width / 2, top + height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        return x, y

    def point_at(self, x: float, y: float) -> None:
        """Move the pointer there."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def point_to(self, selector: str) -> None:
        """Move the pointer to the middle of an element, which must be in view."""
        self.point_at(*self.middle_of(selector))

    def click(self, selector: str) -> None:
        """Press and release the left button in the middle of an element."""
        x, y = self.middle_of(selector)
        self.point_at(x, y)
        for done in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=done, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press and release a key: a letter, or one by its name in the UI Events standard."""
        code = _KEYS.get(key) or ord(key.upper())
        pressed: dict[str, object] = {"key": key, "windowsVirtualKeyCode": code}
        if key not in _KEYS:
            pressed["text"] = key
        self.call("Input.dispatchKeyEvent", type="keyDown", **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def screenshot(self, path: Path) -> None:
        """Write what is seen as a PNG picture."""
        taken = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(taken["data"]))

    def _message(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], deadline - time.monotonic())
            piece = os.read(self._answers, 1 << 20) if ready else b""
            if not piece:
                raise TimeoutError("chromium says nothing" if not ready else "chromium has ended")
            self._unread += piece
        told, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(told)
        return message


@contextmanager
def chromium() -> Iterator[Tab]:
    """Start Chromium without a window; it ends with the block."""
    assert PROGRAM is not None
    read_commands, write_commands = os.pipe()
    read_answers, write_answers = os.pipe()
    # Chromium's children may still write to the profile when it has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        program = subprocess.Popen(
            [
                *(sys.executable, "-c", _LAUNCH, str(read_commands), str(write_answers)),
                *(PROGRAM, *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-pipe"),
            ],
            pass_fds=(read_commands, write_answers),
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        try:
            tab = Tab(write_commands, read_answers)
            yield tab
            tab._session = {}
            tab.call("Browser.close")
            program.wait(PATIENCE_S)
        finally:
            os.close(write_commands)
            os.close(read_answers)
            if program.poll() is None:
                program.kill()
                program.wait()
