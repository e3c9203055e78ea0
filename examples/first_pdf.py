"""Turn a PDF of this repository into LangChain documents, without a key and without a network.

The embedded server converts it; with an API key, leave ``base_url`` out.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from zhiyipdf import ZhiyiPDFLoader

PDF = Path(__file__).parent.parent / "tests" / "data" / "upstage_ai_packs_slides_4p.pdf"


def main() -> None:
    """Print every document's metadata and the beginning of its text."""
    path = sys.argv[1] if len(sys.argv) > 1 else str(PDF.relative_to(Path.cwd()))
    with tempfile.TemporaryDirectory() as store:
        loader = ZhiyiPDFLoader(path, base_url="local", store=store, show_progress=True)
        for number, document in enumerate(loader.lazy_load(), 1):
            text = " ".join(document.page_content.split())
            print(f"--- document {number}: {len(document.page_content)} characters")
            print(json.dumps(document.metadata, indent=2, ensure_ascii=False))
            print(f"{text[:300]} …\n")
        print(loader.report)


if __name__ == "__main__":
    main()
