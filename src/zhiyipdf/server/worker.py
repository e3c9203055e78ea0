"""The worker process: reads requests from its standard input, one JSON object a line, and converts.

Started as ``python -m zhiyipdf.server.worker module:class`` by
:mod:`zhiyipdf.server.worker_pool`. It ends when its standard input closes or its parent is gone,
whatever it is doing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from zhiyipdf.server.engine import Engine, EngineFailure, load_engine, write_pages

__all__ = ["answer", "main"]

logger = logging.getLogger(__name__)

# Seconds between looks at the parent, and beyond a request's own deadline until the last resort.
PARENT_WATCH_S = 1.0
ALARM_GRACE_S = 30


def answer(
    request: dict[str, Any], engine: Callable[[], Engine], say: Callable[[dict[str, Any]], None]
) -> None:
    """Carry out one request.

    Args:
        request: ``{"do": "count", "pdf": …}``, ``{"do": "convert", "pdf": …, "folder": …,
            "table_mode": …, "ocr": …}``, ``{"do": "check_image", "image": …}``, ``{"do":
            "read_image", "image": …, "folder": …, "straighten": …}`` or ``{"do": "draw", "pdf": …,
            "target": …, "page": …, "box": …, "scale": …}``.
        engine: Gives the engine; called first here so that a missing engine fails the request.
        say: Sends an event: ``page`` while converting, then one of ``done`` and ``failed``.
    """
    try:
        say({"event": "done", **_carry_out(request, engine(), say)})
    except EngineFailure as failure:
        say({"event": "failed", "kind": failure.kind, "message": str(failure)})
    except Exception as error:
        logger.exception("a request failed")
        say({"event": "failed", "kind": "failed", "message": f"{type(error).__name__}: {error}"})


def _carry_out(
    request: dict[str, Any], engine: Engine, say: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    match request["do"]:
        case "count":
            return {"pages": engine.count_pages(Path(request["pdf"]))}
        case "convert":
            folder = Path(request["folder"])
            pages = engine.convert(
                Path(request["pdf"]),
                folder,
                table_mode=request["table_mode"],
                ocr=request["ocr"],
                on_page=lambda number: say({"event": "page", "page": number}),
            )
            write_pages(folder, pages)
        case "check_image":
            engine.check_image(Path(request["image"]))
        case "read_image":
            page = engine.read_image(Path(request["image"]), straighten=request["straighten"])
            write_pages(Path(request["folder"]), [page])
        case "draw":
            engine.draw(
                Path(request["pdf"]),
                Path(request["target"]),
                page=request["page"],
                box=request["box"] and tuple(request["box"]),
                scale=request["scale"],
            )
        case what:
            raise ValueError(f"nobody knows how to {what!r}")
    return {}


def main() -> None:
    """Serve requests until the standard input closes."""
    engine_name = sys.argv[1]
    requests = sys.stdin.buffer
    # Whatever native code prints must not end up between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Ctrl-C reaches the whole terminal; the server decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # not Linux
        # Should memory run out, this process goes, not the server.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, inbox), daemon=True).start()
    threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()

    engines: list[Engine] = []

    def engine() -> Engine:
        if not engines:
            engines.append(load_engine(engine_name))
        return engines[0]

    def say(event: dict[str, Any]) -> None:
        answers.write(json.dumps(event).encode() + b"\n")
        answers.flush()

    while True:
        request = json.loads(inbox.get())
        with _alarm(request.get("timeout_s", 0)):
            answer(request, engine, say)


def _read(requests: BinaryIO, inbox: queue.SimpleQueue[bytes]) -> None:
    # Unbuffered, so that a line counts as soon as it is there.
    for line in iter(requests.readline, b""):
        inbox.put(line)
    os._exit(0)


def _watch_parent(parent: int) -> None:
    # The pipe may be held open by a process forked from the parent; the parent's end is the end.
    while sys.platform != "win32" and os.getppid() == parent:
        time.sleep(PARENT_WATCH_S)
    if sys.platform != "win32":
        os._exit(0)


@contextlib.contextmanager
def _alarm(timeout_s: float) -> Iterator[None]:
    # If native code hangs with the interpreter's lock and the parent is gone, no thread of ours can
    # act; the kernel can: SIGALRM's default is to end the process.
    if sys.platform == "win32" or timeout_s <= 0:
        yield
        return
    signal.alarm(int(timeout_s) + ALARM_GRACE_S)
    try:
        yield
    finally:
        signal.alarm(0)


if __name__ == "__main__":
    main()
