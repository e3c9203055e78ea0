"""A process that converts, forks, and converts on both sides with the same converter.

    python fork_and_convert.py URL STORE sync|async PDF …

Every third PDF is converted before the fork, the others on one side each. It ends with 0 if every
result belongs to its PDF.
"""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.fake_time import FakeTime
from support.fault_case import KEY
from zhiyipdf import Converter


def convert(converter: Converter, pdf: str, api: str) -> None:
    conversion = converter.convert(pdf) if api == "sync" else asyncio.run(converter.aconvert(pdf))
    assert conversion.markdown["original"].startswith(f"# {conversion.source.sha256}"), pdf


def main(url: str, store: str, api: str, *pdfs: str) -> int:
    # Python 3.12 warns of forking beside threads: that is what is tried here.
    warnings.simplefilter("ignore", DeprecationWarning)
    clock = FakeTime().clock()
    converter = Converter(api_key=KEY, base_url=url, store=store, clock=clock)
    if api == "sync":
        converter.__enter__()  # keeps its connections over the fork
    for pdf in pdfs[::3]:
        convert(converter, pdf, api)
    child = os.fork()
    for pdf in pdfs[1::3] if child else pdfs[2::3]:
        convert(converter, pdf, api)
    if not child:
        sys.stdout.flush()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
