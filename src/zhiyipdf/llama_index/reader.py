"""Reads PDFs as LlamaIndex documents, on its own or for SimpleDirectoryReader and pipelines."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

from llama_index.core.readers.base import BasePydanticReader, ResourcesReaderMixin
from llama_index.core.readers.file.base import FileSystemReaderMixin
from llama_index.core.readers.loading import ALL_READERS
from llama_index.core.schema import Document
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, field_validator

from zhiyipdf.documents import ImageMode, MetadataStyle
from zhiyipdf.llama_index.documents import document_of
from zhiyipdf.loader_options import Location, OnError, read_options, secrets_of, variants_of
from zhiyipdf.loading import ConversionReport, Loading, SourceReport
from zhiyipdf.models import Language, Mode, TableMode, Variant
from zhiyipdf.sources import expand

__all__ = ["ZhiyiPDFReader"]


class ZhiyiPDFReader(BasePydanticReader, ResourcesReaderMixin, FileSystemReaderMixin):
    """Read PDFs as Markdown documents through the ZhiyiPDF service, or without it.

    Setup:
        .. code-block:: bash

            pip install "zhiyipdf[llama-index]"
            export ZHIYIPDF_API_KEY="your-api-key"

        Without a key: ``pip install "zhiyipdf[llama-index,local]"`` and ``base_url="local"``.

    Instantiate:
        .. code-block:: python

            from zhiyipdf import ZhiyiPDFReader

            reader = ZhiyiPDFReader(mode="page")

    Load:
        .. code-block:: python

            documents = reader.load_data("paper.pdf")
            documents = SimpleDirectoryReader("papers", file_extractor={".pdf": reader}).load_data()

    Lazy load:
        .. code-block:: python

            for document in reader.lazy_load_data(["a.pdf", "s3://bucket/b.pdf"]):
                ...

    Async load:
        .. code-block:: python

            documents = await reader.aload_data("paper.pdf")
            async for document in reader.aiter_data("papers/"):
                ...

    With ``mode="single"``, :class:`~zhiyipdf.llama_index.PageCitations` after the node parser gives
    each node the page of its own.

    The options mean what they mean to :class:`zhiyipdf.ZhiyiPDFLoader`. Keys and
    ``storage_options`` stand in no repr and no dump, so a reader made by ``from_dict`` takes its
    key from the environment; they are part of a pickle, which is how LlamaIndex hands a reader to
    its worker processes. All calls of one reader share the limit of tasks in flight.
    """

    # Frozen: everything is checked together when the reader is made.
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", frozen=True)

    is_remote: bool = True
    api_key: str | SecretStr | Sequence[str | SecretStr] | None = Field(
        default=None, exclude=True, repr=False, description="Keys; default ZHIYIPDF_API_KEY."
    )
    base_url: str | None = Field(
        default=None, description='The service; "local": the embedded server, without a key.'
    )
    mode: Mode = Field(default="page", description="One document for each of these.")
    table_mode: TableMode = Field(default="markdown", description="How tables come.")
    translate_to: Language | None = Field(default=None, description="Target language.")
    variants: Variant | Sequence[Variant] | None = Field(
        default=None, description="Which texts to hand out."
    )
    pages: str | None = Field(default=None, description="Which pages, as in 1-20,35; None: all.")
    include_empty_pages: bool = Field(
        default=False, description="Documents for pages without text, too, in page mode."
    )
    images: ImageMode = Field(default="reference", description="What becomes of pictures.")
    image_dir: Location | None = Field(
        default=None, description="fsspec URL to export pictures to."
    )
    metadata_style: MetadataStyle = Field(default="rich", description="Lists, or scalars only.")
    store: Location | Literal[False] | None = Field(
        default=None, description="fsspec URL where results are kept; False: nowhere."
    )
    max_points: int | None = Field(default=None, description="Most points to spend.")
    on_error: OnError = Field(default="raise", description="Raise, or log and go on.")
    show_progress: bool = Field(default=False, description="Draw a progress bar.")
    storage_options: Mapping[str, Any] | None = Field(
        default=None, exclude=True, repr=False, description="For fsspec."
    )
    converter: Any = Field(default=None, exclude=True, repr=False, description="A ready Converter.")

    _loading: Loading = PrivateAttr()
    _reports: list[SourceReport] = PrivateAttr(default_factory=list)

    @field_validator("api_key")
    @classmethod
    def _hide(cls, api_key: Any) -> Any:
        """Keep keys in a form that does not show itself."""
        found = secrets_of(api_key)
        return None if found is None else tuple(SecretStr(key.value) for key in found)

    @field_validator("variants")
    @classmethod
    def _as_list(cls, variants: Any) -> Any:
        return None if variants is None else list(variants_of(variants))

    @field_validator("store", "image_dir", mode="before")
    @classmethod
    def _as_text(cls, location: Any) -> Any:
        """Keep places in a form that JSON knows."""
        return os.fspath(location) if isinstance(location, os.PathLike) else location

    def model_post_init(self, context: Any, /) -> None:
        """Refuse options that do not go together, and get ready; nothing is opened yet."""
        super().model_post_init(context)
        options = read_options(
            api_key=self.api_key,
            base_url=self.base_url,
            mode=self.mode,
            table_mode=self.table_mode,
            translate_to=self.translate_to,
            variants=self.variants,
            pages=self.pages,
            include_empty_pages=self.include_empty_pages,
            images=self.images,
            image_dir=self.image_dir,
            metadata_style=self.metadata_style,
            store=self.store,
            max_points=self.max_points,
            on_error=self.on_error,
            show_progress=self.show_progress,
            storage_options=self.storage_options,
        )
        self._loading = Loading(options, converter=self.converter)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the reader, with other options if asked for; they are checked again."""
        del deep  # options are values
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**fields, **(update or {})})

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the options, keys included; what is open stays in this process."""
        return {"__dict__": self.__dict__.copy()}

    @classmethod
    def class_name(cls) -> str:
        """Name the class for :data:`llama_index.core.readers.loading.ALL_READERS`."""
        return "ZhiyiPDFReader"

    @property
    def report(self) -> ConversionReport:
        """What this reader has done so far: task ids, points, seconds, errors of each source."""
        return ConversionReport(sources=tuple(self._reports))

    # SimpleDirectoryReader calls `load_data` and `aload_data` with these names; they are part of
    # LlamaIndex's contract though its base class declares them as *args and **kwargs.

    def lazy_load_data(
        self, file: Any, extra_info: Mapping[str, Any] | None = None, fs: Any = None
    ) -> Iterator[Document]:
        """Convert PDFs and yield their documents in input order, each as soon as its file is done.

        Args:
            file: Local path, folder, glob, any fsspec URL, bytes, a binary file, or a sequence of
                these.
            extra_info: Metadata for every document; ours wins where both have a key.
            fs: The fsspec filesystem ``file`` is on, as SimpleDirectoryReader gives it.

        Raises:
            ZhiyiPDFError: A PDF cannot be converted, with ``on_error="raise"``.
            OSError: A file cannot be read, the same.
        """
        for record in self._loading.records(file, self._reports, fs=fs):
            yield document_of(record, extra_info)

    def load_data(
        self, file: Any, extra_info: Mapping[str, Any] | None = None, fs: Any = None
    ) -> list[Document]:
        """Convert PDFs; see :meth:`lazy_load_data`."""
        return list(self.lazy_load_data(file, extra_info, fs))

    async def aiter_data(
        self, file: Any, extra_info: Mapping[str, Any] | None = None, fs: Any = None
    ) -> AsyncGenerator[Document, None]:
        """Yield documents on the caller's event loop; see :meth:`lazy_load_data`."""
        records = self._loading.arecords(file, self._reports, fs=fs)
        try:
            async for record in records:
                yield document_of(record, extra_info)
        finally:
            await records.aclose()

    async def aload_data(
        self, file: Any, extra_info: Mapping[str, Any] | None = None, fs: Any = None
    ) -> list[Document]:
        """Convert PDFs on the caller's event loop; see :meth:`lazy_load_data`."""
        return [document async for document in self.aiter_data(file, extra_info, fs)]

    async def alazy_load_data(
        self, file: Any, extra_info: Mapping[str, Any] | None = None, fs: Any = None
    ) -> Iterable[Document]:
        """Convert PDFs on the caller's event loop; see :meth:`lazy_load_data`.

        LlamaIndex wants an ordinary iterable from this coroutine, and that cannot wait; so all are
        converted when it returns. :meth:`aiter_data` gives them one by one.
        """
        return await self.aload_data(file, extra_info, fs)

    def list_resources(self, file: Any = None, fs: Any = None) -> list[str]:
        """Name the PDFs that a folder, glob or sequence stands for; nothing is opened.

        Args:
            file: As for :meth:`lazy_load_data`. A reader has no place of its own, so None gives
                an empty list.
            fs: The same.
        """
        if file is None:
            return []
        return [ref.uri for ref in expand(file, storage_options=self.storage_options, fs=fs)]

    def load_resource(
        self, resource_id: str, extra_info: Mapping[str, Any] | None = None, fs: Any = None
    ) -> list[Document]:
        """Convert one of the PDFs of :meth:`list_resources`."""
        return self.load_data(resource_id, extra_info, fs)

    async def aload_resource(
        self, resource_id: str, extra_info: Mapping[str, Any] | None = None, fs: Any = None
    ) -> list[Document]:
        """Convert one of the PDFs of :meth:`list_resources` on the caller's event loop."""
        return await self.aload_data(resource_id, extra_info, fs)

    def get_resource_info(
        self,
        resource_id: str,
        file: Any = None,  # noqa: ARG002 - list_resources_with_info hands list_resources's on
        fs: Any = None,
    ) -> dict[str, Any]:
        """Tell a PDF's ``file_path``, ``file_name``, ``file_type`` and, if known, ``file_size``.

        Args:
            resource_id: One of :meth:`list_resources`.
            file: What that was given; not needed here.
            fs: The same.

        Raises:
            FileNotFoundError: There is no such file.
        """
        filesystem, path = self._locate(resource_id, fs)
        size = filesystem.info(path).get("size")
        found = {
            "file_path": resource_id,
            "file_name": unquote(Path(urlsplit(path).path).name) or resource_id,
            "file_type": "application/pdf",
            "file_size": size,
        }
        return {key: value for key, value in found.items() if value is not None}

    def read_file_content(self, input_file: Any, **kwargs: Any) -> bytes:
        """Read a file as it is, unconverted; ``fs`` as for :meth:`lazy_load_data`."""
        filesystem, path = self._locate(input_file, kwargs.get("fs"))
        with filesystem.open(path, "rb") as file:
            return bytes(file.read())

    def _locate(self, file: Any, fs: Any) -> tuple[Any, str]:
        if fs is not None:
            return fs, os.fspath(file)
        from fsspec.core import url_to_fs

        filesystem, path = url_to_fs(os.fspath(file), **(self.storage_options or {}))
        return filesystem, path


ALL_READERS[ZhiyiPDFReader.class_name()] = ZhiyiPDFReader
