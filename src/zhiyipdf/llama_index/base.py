"""What the readers of all services share: everything but the options of their own."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

from llama_index.core.readers.base import BasePydanticReader, ResourcesReaderMixin
from llama_index.core.readers.file.base import FileSystemReaderMixin
from llama_index.core.schema import Document
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, field_validator

from zhiyipdf.documents import ImageMode, MetadataStyle
from zhiyipdf.llama_index.documents import document_of
from zhiyipdf.loader_options import LoaderOptions, Location, OnError, secrets_of
from zhiyipdf.loading import ConversionReport, Loading, SourceReport
from zhiyipdf.models import Mode
from zhiyipdf.sources import expand

__all__ = ["PDFReader"]


class PDFReader(BasePydanticReader, ResourcesReaderMixin, FileSystemReaderMixin):
    """Reads what it is given; its subclasses say what can be asked for."""

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

    @field_validator("store", "image_dir", mode="before")
    @classmethod
    def _as_text(cls, location: Any) -> Any:
        """Keep places in a form that JSON knows."""
        return os.fspath(location) if isinstance(location, os.PathLike) else location

    def model_post_init(self, context: Any, /) -> None:
        """Refuse options that do not go together, and get ready; nothing is opened yet."""
        super().model_post_init(context)
        self._loading = Loading(self._options(), converter=self.converter)

    @classmethod
    def suffixes(cls) -> tuple[str, ...]:
        """Which files of a folder are meant."""
        return (".pdf",)

    def _options(self) -> LoaderOptions:
        """The options in the form that all adapters share.

        Raises:
            ValueError: They do not go together.
        """
        raise NotImplementedError

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the reader, with other options if asked for; they are checked again."""
        del deep  # options are values
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**fields, **(update or {})})

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the options, keys included; what is open stays in this process."""
        return {"__dict__": self.__dict__.copy()}

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
        found = expand(file, storage_options=self.storage_options, fs=fs, suffixes=self.suffixes())
        return [ref.uri for ref in found]

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
            "file_type": mimetypes.guess_type(path)[0] or "application/pdf",
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
