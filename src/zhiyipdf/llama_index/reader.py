"""Reads PDFs as LlamaIndex documents through ZhiyiPDF, on its own or for directories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.readers.loading import ALL_READERS
from pydantic import Field, field_validator

from zhiyipdf.llama_index.base import PDFReader
from zhiyipdf.loader_options import LoaderOptions, read_options, variants_of
from zhiyipdf.models import Language, TableMode, Variant

__all__ = ["ZhiyiPDFReader"]


class ZhiyiPDFReader(PDFReader):
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

    table_mode: TableMode = Field(default="markdown", description="How tables come.")
    translate_to: Language | None = Field(default=None, description="Target language.")
    variants: Variant | Sequence[Variant] | None = Field(
        default=None, description="Which texts to hand out."
    )

    @field_validator("variants")
    @classmethod
    def _as_list(cls, variants: Any) -> Any:
        return None if variants is None else list(variants_of(variants))

    @classmethod
    def class_name(cls) -> str:
        """Name the class for :data:`llama_index.core.readers.loading.ALL_READERS`."""
        return "ZhiyiPDFReader"

    def _options(self) -> LoaderOptions:
        return read_options(
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


ALL_READERS[ZhiyiPDFReader.class_name()] = ZhiyiPDFReader
