"""Parses blobs of PDFs, which a pipeline found itself, into LangChain documents."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.document_loaders import BaseBlobParser, Blob
from langchain_core.documents import Document

from zhiyipdf.documents import ImageMode, MetadataStyle
from zhiyipdf.langchain.blobs import FsspecBlob
from zhiyipdf.langchain.documents import document_of
from zhiyipdf.loader_options import ApiKey, Location, OnError, read_options
from zhiyipdf.loading import ConversionReport, Loading, SourceReport
from zhiyipdf.models import Language, Mode, TableMode, Variant

if TYPE_CHECKING:
    from zhiyipdf.converter import Converter

__all__ = ["ZhiyiPDFParser"]


class ZhiyiPDFParser(BaseBlobParser):
    """Parse blobs of PDFs into Markdown documents; for pipelines that find their files themselves.

    Setup:
        .. code-block:: bash

            pip install "zhiyipdf[langchain]"
            export ZHIYIPDF_API_KEY="your-api-key"

    Instantiate:
        .. code-block:: python

            from zhiyipdf.langchain import FsspecBlobLoader, ZhiyiPDFParser

            blobs = FsspecBlobLoader("s3://bucket/papers/")
            parser = ZhiyiPDFParser(mode="page")

    Lazy parse:
        .. code-block:: python

            for blob in blobs.yield_blobs():
                for document in parser.lazy_parse(blob):
                    ...

    Async parse:
        .. code-block:: python

            async for document in parser.alazy_parse(blob):
                ...

    One blob at a time is what LangChain's interface has; a :class:`ZhiyiPDFLoader` converts many
    side by side.

    Args:
        api_key: This and all others as for :class:`ZhiyiPDFLoader`.
        base_url: The same.
        mode: The same.
        table_mode: The same.
        translate_to: The same.
        variants: The same.
        pages: The same.
        include_empty_pages: The same.
        images: The same.
        image_dir: The same.
        metadata_style: The same.
        store: The same.
        max_points: The same, for all blobs together.
        on_error: The same.
        show_progress: The same.
        storage_options: The same.
        converter: The same.

    Raises:
        ValueError: An option has a value that it cannot have.
    """

    def __init__(
        self,
        *,
        api_key: ApiKey | None = None,
        base_url: str | None = None,
        mode: Mode = "page",
        table_mode: TableMode = "markdown",
        translate_to: Language | None = None,
        variants: Variant | Sequence[Variant] | None = None,
        pages: str | None = None,
        include_empty_pages: bool = False,
        images: ImageMode = "reference",
        image_dir: Location | None = None,
        metadata_style: MetadataStyle = "rich",
        store: Location | Literal[False] | None = None,
        max_points: int | None = None,
        on_error: OnError = "raise",
        show_progress: bool = False,
        storage_options: Mapping[str, Any] | None = None,
        converter: Converter | None = None,
    ) -> None:
        self.options = read_options(
            api_key=api_key,
            base_url=base_url,
            mode=mode,
            table_mode=table_mode,
            translate_to=translate_to,
            variants=variants,
            pages=pages,
            include_empty_pages=include_empty_pages,
            images=images,
            image_dir=image_dir,
            metadata_style=metadata_style,
            store=store,
            max_points=max_points,
            on_error=on_error,
            show_progress=show_progress,
            storage_options=storage_options,
        )
        self._loading = Loading(self.options, converter=converter)
        self._reports: list[SourceReport] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mode={self.options.mode!r})"

    @property
    def report(self) -> ConversionReport:
        """What this parser has done so far: task ids, points, seconds, error of each blob."""
        return ConversionReport(sources=tuple(self._reports))

    def lazy_parse(self, blob: Blob) -> Generator[Document, None, None]:
        """Convert one blob and yield its documents.

        Raises:
            ZhiyiPDFError: It cannot be converted, with ``on_error="raise"``.
            OSError: It cannot be read, the same.
        """
        source = (blob.ref if isinstance(blob, FsspecBlob) else None) or blob
        for record in self._loading.records(source, self._reports):
            yield document_of(record)

    async def alazy_parse(self, blob: Blob) -> AsyncGenerator[Document, None]:
        """Convert one blob on the caller's event loop; see :meth:`lazy_parse`.

        LangChain's own interface has no asynchronous parsing; this is an addition to it.
        """
        source = (blob.ref if isinstance(blob, FsspecBlob) else None) or blob
        records = self._loading.arecords(source, self._reports)
        try:
            async for record in records:
                yield document_of(record)
        finally:
            await records.aclose()

    async def aparse(self, blob: Blob) -> list[Document]:
        """Convert one blob on the caller's event loop; see :meth:`lazy_parse`."""
        return [document async for document in self.alazy_parse(blob)]
