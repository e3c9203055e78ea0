"""PDFs to RAG-ready documents, for LangChain and LlamaIndex.

The parts, in the order a PDF takes through them:

- :mod:`~zhiyipdf.sources` finds PDFs anywhere fsspec reaches; :mod:`~zhiyipdf.textlayer` looks
  at them;
- :mod:`~zhiyipdf.conversion` is the path as a whole: planned in parts, obtained, joined;
- :mod:`~zhiyipdf.store` knows what was paid for;
- :mod:`~zhiyipdf.tasks` pays once, waits, and fetches, through :mod:`~zhiyipdf.providers` and
  :mod:`~zhiyipdf.transport`;
- :mod:`~zhiyipdf.bundle` unpacks what came back;
- :mod:`~zhiyipdf.markdown` and :mod:`~zhiyipdf.grounding` find each block and its page;
- :mod:`~zhiyipdf.converter` is the front door, with and without ``await``
  (:mod:`~zhiyipdf.blocking`);
- :mod:`~zhiyipdf.documents` and :mod:`~zhiyipdf.loading` make records of it, which
  :mod:`~zhiyipdf.langchain` and :mod:`~zhiyipdf.llama_index` hand out as documents;
- :mod:`~zhiyipdf.preview` shows a conversion beside its PDF, in one HTML file;
- :mod:`~zhiyipdf.services` names the services; :mod:`~zhiyipdf.doc2x` has the coroutines of one of
  them, as its own page has them;
- :mod:`~zhiyipdf.server` is the other half of the wire, and shares no code with the rest.

Importing this package imports none of them, nor any framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhiyipdf._version import __version__

if TYPE_CHECKING:
    from zhiyipdf.converter import Converter
    from zhiyipdf.errors import ZhiyiPDFError
    from zhiyipdf.langchain import (
        Doc2XLoader,
        FsspecBlobLoader,
        ZhiyiPDFLoader,
        ZhiyiPDFParser,
        cite,
    )
    from zhiyipdf.llama_index import Doc2XReader, ZhiyiPDFReader
    from zhiyipdf.models import Conversion, Doc2XOptions, Outcome, ParseOptions

__all__ = [
    "Conversion",
    "Converter",
    "Doc2XLoader",
    "Doc2XOptions",
    "Doc2XReader",
    "FsspecBlobLoader",
    "Outcome",
    "ParseOptions",
    "ZhiyiPDFError",
    "ZhiyiPDFLoader",
    "ZhiyiPDFParser",
    "ZhiyiPDFReader",
    "__version__",
    "cite",
]

_HOME = {
    "Conversion": "models",
    "Converter": "converter",
    "Doc2XLoader": "langchain",
    "Doc2XOptions": "models",
    "Doc2XReader": "llama_index",
    "FsspecBlobLoader": "langchain",
    "Outcome": "models",
    "ParseOptions": "models",
    "ZhiyiPDFError": "errors",
    "ZhiyiPDFLoader": "langchain",
    "ZhiyiPDFParser": "langchain",
    "ZhiyiPDFReader": "llama_index",
    "cite": "langchain",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
