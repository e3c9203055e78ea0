"""PDFs as LangChain documents: a loader, a blob parser, and a blob loader for any fsspec URL."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

try:
    from langchain_core.document_loaders import BaseBlobParser, BaseLoader, Blob, BlobLoader
    from langchain_core.documents import Document
except ImportError as error:
    raise ImportError(
        'the LangChain loader needs langchain-core: pip install "zhiyipdf[langchain]"'
    ) from error
from pydantic import PrivateAttr

from zhiyipdf.documents import PAGE_INDEX_KEY, ImageMode, MetadataStyle, Record, page_index
from zhiyipdf.loader_options import (
    ApiKey,
    LoaderOptions,
    Location,
    OnError,
    secrets_of,
    store_of,
    variants_of,
)
from zhiyipdf.loading import ConversionReport, Loading, SourceReport
from zhiyipdf.models import Language, Mode, TableMode, Variant
from zhiyipdf.sources import SourceRef, expand, public_uri
from zhiyipdf.sources.remote import RemoteFile

if TYPE_CHECKING:
    from zhiyipdf.converter import Converter

__all__ = ["FsspecBlob", "FsspecBlobLoader", "ZhiyiPDFLoader", "ZhiyiPDFParser"]


class ZhiyiPDFLoader(BaseLoader):
    """Load PDFs as Markdown documents through the ZhiyiPDF service, or without it.

    Setup:
        .. code-block:: bash

            pip install "zhiyipdf[langchain]"
            export ZHIYIPDF_API_KEY="your-api-key"

        Without a key: ``pip install "zhiyipdf[langchain,local]"`` and ``base_url="local"``.

    Instantiate:
        .. code-block:: python

            from zhiyipdf import ZhiyiPDFLoader

            loader = ZhiyiPDFLoader(
                "paper.pdf",  # or a folder, a glob, s3://…, bytes, a Blob, a list of these
                mode="page",
                translate_to=None,
            )

    Lazy load:
        .. code-block:: python

            for document in loader.lazy_load():
                print(document.metadata["page_label"], document.page_content[:100])

        Nothing is uploaded before the first document is asked for. Files are converted side by
        side; their documents come in the order of the input, each as soon as its file is done.

    Async load:
        .. code-block:: python

            documents = await loader.aload()
            async for document in loader.alazy_load():
                ...

    Args:
        file_path: Local path, folder, glob, any fsspec URL, bytes, a binary file, a Blob, or a
            sequence of these.
        api_key: One key or several, which are used side by side; default ``ZHIYIPDF_API_KEY``.
        base_url: Default ``ZHIYIPDF_BASE_URL``, else the hosted service; ``"local"`` converts in
            this machine's own processes, without a key.
        mode: ``"single"``: a document for each file; ``"page"``: for each page; ``"block"``: for
            each heading, paragraph, table…
        table_mode: ``"markdown"``, or ``"image"`` for pictures of the tables.
        translate_to: ``zh en ja ko fr de es ru``; None: no translation (2 points a page, not 3).
        variants: Any of ``"original"``, ``"translated"``, ``"bilingual"``, each as documents of
            its own; default the original, with ``translate_to`` the translation.
        pages: Which pages of each PDF, for example ``"1-20,35"`` or ``"5-"``; default all. Only
            these are sent and paid for; their numbers stay those of the PDF.
        images: ``"reference"``: URIs in the Markdown and the metadata; ``"documents"``: and a
            document for each picture; ``"inline"``: ``data:`` URIs; ``"drop"``: none.
        image_dir: fsspec URL to export the pictures to; default: they are in the store.
        metadata_style: ``"rich"``, or ``"flat"`` for stores that take no lists.
        store: fsspec URL where results are kept, so that nothing is paid twice; default
            ``ZHIYIPDF_STORE``, else the user's cache folder; False: keep nothing.
        max_points: Stop before an upload would pass this sum.
        on_error: ``"raise"``, or ``"skip"``: log at ERROR, list in :attr:`report`, go on.
        show_progress: Draw a progress bar.
        storage_options: For fsspec.
        converter: A ready Converter instead of ``api_key``, ``base_url``, ``store`` and
            ``max_points``.

    Raises:
        ValueError: An option has a value that is not among those above.
    """

    def __init__(
        self,
        file_path: Any,
        *,
        api_key: ApiKey | None = None,
        base_url: str | None = None,
        mode: Mode = "page",
        table_mode: TableMode = "markdown",
        translate_to: Language | None = None,
        variants: Variant | Sequence[Variant] | None = None,
        pages: str | None = None,
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
        # A generator can be read once, a loader more often: keep what it names.
        self.file_path = list(file_path) if _is_one_shot(file_path) else file_path
        self.options = LoaderOptions(
            api_key=secrets_of(api_key),
            base_url=base_url,
            mode=mode,
            table_mode=table_mode,
            translate_to=translate_to,
            variants=variants_of(variants),
            pages=pages,
            images=images,
            image_dir=None if image_dir is None else os.fspath(image_dir),
            metadata_style=metadata_style,
            store=store_of(store),
            max_points=max_points,
            on_error=on_error,
            show_progress=show_progress,
            storage_options=storage_options,
        )
        self._loading = Loading(self.options, converter=converter)
        self._reports: list[SourceReport] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_shown(self.file_path)}, mode={self.options.mode!r})"

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
            yield _document(record)

    async def alazy_load(self) -> AsyncGenerator[Document, None]:
        """Convert the files on the caller's event loop; see :meth:`lazy_load`."""
        self._reports = []
        records = self._loading.arecords(self.file_path, self._reports)
        try:
            async for record in records:
                yield _document(record)
        finally:
            await records.aclose()


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
        self.options = LoaderOptions(
            api_key=secrets_of(api_key),
            base_url=base_url,
            mode=mode,
            table_mode=table_mode,
            translate_to=translate_to,
            variants=variants_of(variants),
            pages=pages,
            images=images,
            image_dir=None if image_dir is None else os.fspath(image_dir),
            metadata_style=metadata_style,
            store=store_of(store),
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
            yield _document(record)

    async def alazy_parse(self, blob: Blob) -> AsyncGenerator[Document, None]:
        """Convert one blob on the caller's event loop; see :meth:`lazy_parse`.

        LangChain's own interface has no asynchronous parsing; this is an addition to it.
        """
        source = (blob.ref if isinstance(blob, FsspecBlob) else None) or blob
        records = self._loading.arecords(source, self._reports)
        try:
            async for record in records:
                yield _document(record)
        finally:
            await records.aclose()

    async def aparse(self, blob: Blob) -> list[Document]:
        """Convert one blob on the caller's event loop; see :meth:`lazy_parse`."""
        return [document async for document in self.alazy_parse(blob)]


class FsspecBlob(Blob):
    """A blob at any fsspec URL, read when it is asked for its bytes and not before.

    LangChain's own takes its path for a local one: ``s3://b/a.pdf`` becomes ``s3:/b/a.pdf``.
    """

    _ref: SourceRef | None = PrivateAttr(default=None)

    @classmethod
    def from_ref(cls, ref: SourceRef) -> Self:
        """Make a blob of a source that was found but not opened."""
        mimetype = mimetypes.guess_type(ref.name)[0]
        blob = cls(path=ref.uri, mimetype=mimetype, metadata={"source": ref.uri})
        blob._ref = ref
        return blob

    @property
    def ref(self) -> SourceRef | None:
        """Where its bytes are; None if it was not made by :meth:`from_ref`."""
        return self._ref

    def as_bytes(self) -> bytes:
        """Read all of it."""
        if self._ref is None:
            return super().as_bytes()
        with self.as_bytes_io() as file:
            return bytes(file.read())

    def as_string(self) -> str:
        """Read all of it as text."""
        return self.as_bytes().decode(self.encoding)

    @contextmanager
    def as_bytes_io(self) -> Generator[Any, None, None]:
        """Open it for reading from front to back."""
        if self._ref is None:
            with super().as_bytes_io() as file:
                yield file
            return
        place = self._ref.place
        if isinstance(place, RemoteFile):
            with place.opened() as (file, _):
                yield file
        else:
            with Path(str(place)).open("rb") as file:
                yield file


class FsspecBlobLoader(BlobLoader):
    """Find files at any fsspec URL as blobs, for any blob parser.

    Setup:
        .. code-block:: bash

            pip install "zhiyipdf[langchain]" s3fs  # or gcsfs, adlfs, …: the URL's protocol

    Instantiate:
        .. code-block:: python

            from zhiyipdf.langchain import FsspecBlobLoader

            loader = FsspecBlobLoader("s3://bucket/papers/**/*.pdf")

    Lazy load:
        .. code-block:: python

            for blob in loader.yield_blobs():
                print(blob.source)

    Nothing is listed before the first blob is asked for, and no blob is read before its bytes are.

    Args:
        path: Local path, folder, glob, any fsspec URL, or a sequence of these.
        suffixes: Which files of a folder are meant.
        storage_options: For fsspec.
    """

    def __init__(
        self,
        path: Location | Sequence[Location],
        *,
        suffixes: Sequence[str] = (".pdf",),
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = path
        self.suffixes = tuple(suffixes)
        self.storage_options = storage_options

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_shown(self.path)})"

    def yield_blobs(self) -> Iterator[FsspecBlob]:
        """Find the files, in a fixed order.

        Raises:
            FileNotFoundError: There is no such file, or none in the folder.
        """
        found = expand(self.path, storage_options=self.storage_options, suffixes=self.suffixes)
        for ref in found:
            yield FsspecBlob.from_ref(ref)


def _document(record: Record) -> Document:
    """Write a record as LangChain has it: with its 0-based page."""
    metadata: dict[str, Any] = dict(record.metadata)
    page = page_index(record.metadata)
    if page is not None:
        metadata[PAGE_INDEX_KEY] = page
    return Document(page_content=record.text, id=record.id, metadata=metadata)


def _is_one_shot(file_path: Any) -> bool:
    return isinstance(file_path, Iterator) and not hasattr(file_path, "read")


def _shown(file_path: Any) -> str:
    """Name the input in a repr: no content, no credentials."""
    if isinstance(file_path, str | os.PathLike):
        return repr(public_uri(os.fsdecode(file_path)))
    if isinstance(file_path, bytes | bytearray | memoryview):
        return f"<{len(file_path)} bytes>"
    if isinstance(file_path, list | tuple):
        return f"[{', '.join(_shown(member) for member in file_path)}]"
    return f"<{type(file_path).__name__}>"
