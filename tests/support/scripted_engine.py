"""An engine that does what the PDF's last line says: it runs in real worker processes."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from zhiyipdf.server.engine import PICTURE_FOLDER, Box, EngineFailure, PageBlock, PageMarkdown

NAME = "support.scripted_engine:ScriptedEngine"
MARK = b"%%script "
PNG = b"\x89PNG\r\n\x1a\n"


def scripted_pdf(**script: Any) -> bytes:
    """A body the server takes for a PDF.

    Args:
        script: ``pages``; ``markdown`` of each page; ``gate``: a FIFO to wait at before page
            ``gate_page``; ``do``: ``crash``, ``hang``, ``fail``, ``invalid``, ``raise`` or
            ``shout``; ``count_do``: the same for counting; ``blocks`` of each page, as the fields
            of a PageBlock; ``pictures``: names of files to make; ``size`` of
            each page.
    """
    return b"%PDF-1.7\n" + MARK + json.dumps(script).encode()


def scripted_image(**script: Any) -> bytes:
    """A body the server takes for an image; ``do``, ``count_do``, ``gate`` and ``markdown``."""
    return PNG + MARK + json.dumps(script).encode()


def make_gate(folder: Path, name: str) -> Path:
    """A place where a task waits until :func:`open_gate`."""
    gate = folder / name
    os.mkfifo(gate)
    return gate


def open_gate(gate: Path, *, timeout_s: float = 30.0) -> None:
    """Wait until the task has come to its gate, then let it through."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            time.sleep(0.005)  # nobody is at the gate yet; a FIFO cannot be waited for
        else:
            return


class ScriptedEngine:
    def count_pages(self, pdf: Path) -> int:
        script = _script(pdf)
        _do(script.get("count_do"))
        return int(script.get("pages", 1))

    def convert(
        self,
        pdf: Path,
        folder: Path,
        *,
        table_mode: Literal["markdown", "image"],
        ocr: bool,
        on_page: Callable[[int], None],
    ) -> Sequence[PageMarkdown]:
        script = _script(pdf)
        pages = []
        for number in range(1, int(script.get("pages", 1)) + 1):
            on_page(number)
            if script.get("gate") and number == script.get("gate_page", 1):
                Path(script["gate"]).open("rb").close()
            _do(script.get("do"))
            markdown = script.get("markdown", f"Text {number} ({table_mode})")
            pages.append(
                PageMarkdown(
                    number=number,
                    width=script.get("size", (100, 100))[0],
                    height=script.get("size", (100, 100))[1],
                    markdown=markdown,
                    blocks=_blocks(script),
                )
            )
        for name in script.get("pictures", ()):
            (folder / PICTURE_FOLDER).mkdir(exist_ok=True)
            (folder / PICTURE_FOLDER / name).write_bytes(PNG)
        return pages

    def check_image(self, image: Path) -> None:
        _do(_script(image).get("count_do"))

    def read_image(self, image: Path, *, straighten: bool) -> PageMarkdown:
        script = _script(image)
        if script.get("gate"):
            Path(script["gate"]).open("rb").close()
        _do(script.get("do"))
        markdown = script.get("markdown", "straightened" if straighten else "as it is")
        return PageMarkdown(number=1, width=1000, height=800, markdown=markdown, quality=97)

    def draw(self, pdf: Path, target: Path, *, page: int, box: Box | None, scale: float) -> None:
        drawn = json.dumps({"page": page, "box": box, "scale": scale})
        target.write_bytes(PNG + drawn.encode())


def _blocks(script: dict[str, Any]) -> tuple[PageBlock, ...]:
    blocks = script.get("blocks", ())
    return tuple(PageBlock(**{**block, "box": tuple(block["box"])}) for block in blocks)


def _script(pdf: Path) -> dict[str, Any]:
    content = pdf.read_bytes()
    return json.loads(content[content.rindex(MARK) + len(MARK) :])


def _do(what: str | None) -> None:
    match what:
        case "crash":
            os.abort()
        case "hang":
            while True:
                time.sleep(60)
        case "fail":
            raise EngineFailure("failed", "scripted")
        case "invalid":
            raise EngineFailure("invalid", "scripted")
        case "no_ocr":
            raise EngineFailure("no_ocr", "scripted")
        case "raise":
            raise ZeroDivisionError("scripted")
        case "shout":
            os.write(1, b"native code talks to standard output\n")
        case "environment":
            raise EngineFailure("failed", json.dumps([dict(os.environ), sys.path, str(Path.cwd())]))
