"""Finds files at any fsspec URL as LangChain blobs."""

from __future__ import annotations

import mimetypes
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from langchain_core.document_loaders import Blob, BlobLoader
from pydantic import PrivateAttr

from zhiyipdf.langchain.documents import shown
from zhiyipdf.loader_options import Location
from zhiyipdf.sources import SourceRef, expand
from zhiyipdf.sources.remote import RemoteFile

__all__ = ["FsspecBlob", "FsspecBlobLoader"]


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
        return f"{type(self).__name__}({shown(self.path)})"

    def yield_blobs(self) -> Iterator[FsspecBlob]:
        """Find the files, in a fixed order.

        Raises:
            FileNotFoundError: There is no such file, or none in the folder.
        """
        found = expand(self.path, storage_options=self.storage_options, suffixes=self.suffixes)
        for ref in found:
            yield FsspecBlob.from_ref(ref)
