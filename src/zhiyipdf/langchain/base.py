"""What the loaders of all services share: everything but their options."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from typing import TYPE_CHECKING, Any

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document

from zhiyipdf.langchain.documents import document_of, shown
from zhiyipdf.loader_options import LoaderOptions
from zhiyipdf.loading import ConversionReport, Loading, SourceReport

if TYPE_CHECKING:
    from zhiyipdf.converter import Converter

__all__ = ["PDFLoader"]


class PDFLoader(BaseLoader):
    """Loads what it is given, by options that are checked already.

    Args:
        file_path: Whatever :func:`zhiyipdf.sources.expand` takes.
        options: What was asked for.
        converter: A ready Converter; otherwise one is made from the options.

    Raises:
        ValueError: A Converter is given, and options that only a new one could heed.
    """

    def __init__(
        self, file_path: Any, options: LoaderOptions, *, converter: Converter | None
    ) -> None:
        # A generator can be read once, a loader more often: keep what it names.
        self.file_path = list(file_path) if _is_one_shot(file_path) else file_path
        self.options = options
        self._loading = Loading(options, converter=converter)
        self._reports: list[SourceReport] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown(self.file_path)}, mode={self.options.mode!r})"

    @property
    def report(self) -> ConversionReport:
        """What the latest load has done so far: task ids, points, seconds, error of each source."""
        return ConversionReport(sources=tuple(self._reports))

    def lazy_load(self) -> Generator[Document, None, None]:
        """Convert the files and yield their documents.

        Raises:
            ZhiyiPDFError: A PDF cannot be converted, with ``on_error="raise"``.
            OSError: A file cannot be read, the same.
        """
        self._reports = []
        for record in self._loading.records(self.file_path, self._reports):
            yield document_of(record)

    async def alazy_load(self) -> AsyncGenerator[Document, None]:
        """Convert the files on the caller's event loop; see :meth:`lazy_load`."""
        self._reports = []
        records = self._loading.arecords(self.file_path, self._reports)
        try:
            async for record in records:
                yield document_of(record)
        finally:
            await records.aclose()


def _is_one_shot(file_path: Any) -> bool:
    return isinstance(file_path, Iterator) and not hasattr(file_path, "read")
