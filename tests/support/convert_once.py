"""A process that converts one PDF, and can stop right after a file of the store is published.

    python convert_once.py URL PDF STORE STORAGE_OPTIONS sync|async STOP

STOP is ``all`` (never), ``number=N`` (after the N-th file, leases not counted) or ``state=S``
(after the first record in that state). It says ``stopped NAME STATE`` then, and waits to be killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.fake_time import FakeTime
from support.fault_case import KEY
from zhiyipdf import Converter
from zhiyipdf.errors import UploadOutcomeUnknown
from zhiyipdf.store import Files


def stop_after(stop: str) -> None:
    """Wrap ``Files.publish``."""
    what, _, wanted = stop.partition("=")
    publish = Files.publish
    count = 0

    def publish_and_stop(self: Files, name: str, content: Any, **options: Any) -> None:
        nonlocal count
        publish(self, name, content, **options)
        if name.endswith(".lease"):
            return
        count += 1
        state = json.loads(content)["state"] if name.startswith("claims/") else ""
        if (what == "number" and count == int(wanted)) or (what == "state" and state == wanted):
            print("stopped", name, state, flush=True)  # noqa: T201 - read by the parent
            threading.Event().wait()

    Files.publish = publish_and_stop  # type: ignore[method-assign]  # that is the purpose


def main(url: str, pdf: str, store: str, storage_options: str, api: str, stop: str) -> int:
    if stop != "all":
        stop_after(stop)
    converter = Converter(
        api_key=KEY,
        base_url=url,
        store=store,
        storage_options=json.loads(storage_options),
        clock=FakeTime().clock(),
    )
    try:
        conversion = (
            converter.convert(pdf) if api == "sync" else asyncio.run(converter.aconvert(pdf))
        )
    except UploadOutcomeUnknown as error:
        print("unknown", error.points_charged, flush=True)  # noqa: T201 - read by the parent
        return 0
    heading = conversion.markdown["original"].partition("\n")[0]
    print("result", heading, flush=True)  # noqa: T201 - read by the parent
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
