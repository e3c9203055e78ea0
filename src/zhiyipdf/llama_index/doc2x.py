"""Reads PDFs and pictures as LlamaIndex documents through Doc2X."""

from __future__ import annotations

from llama_index.core.readers.loading import ALL_READERS
from pydantic import Field

from zhiyipdf.doc2x_loader_options import read_doc2x_options
from zhiyipdf.llama_index.base import PDFReader
from zhiyipdf.loader_options import LoaderOptions
from zhiyipdf.models import Comments, Doc2XModel, Doc2XVersion, FormulaStyle

__all__ = ["Doc2XReader"]


class Doc2XReader(PDFReader):
    """Read PDFs, PNG and JPEG pictures as Markdown documents through Doc2X, or without it.

    Setup:
        .. code-block:: bash

            pip install "zhiyipdf[llama-index]"
            export DOC2X_API_KEY="sk-..."

        Without a key: ``pip install "zhiyipdf[llama-index,local]"`` and ``base_url="local"``.

    Instantiate:
        .. code-block:: python

            from zhiyipdf import Doc2XReader

            reader = Doc2XReader(mode="block", model="v3-2026")

    Load:
        .. code-block:: python

            documents = reader.load_data("paper.pdf")
            extractors = {".pdf": reader, ".png": reader, ".jpg": reader}
            documents = SimpleDirectoryReader("papers", file_extractor=extractors).load_data()

    The options mean what they mean to :class:`zhiyipdf.Doc2XLoader`; the rest is as for
    :class:`zhiyipdf.ZhiyiPDFReader`.
    """

    api_version: Doc2XVersion = Field(default="v2", description="Of the service's API.")
    model: Doc2XModel = Field(default="v2", description="v3-2026 tells where blocks stand.")
    formula_style: FormulaStyle = Field(default="dollar", description="Around formulas.")
    comments: Comments = Field(default="figure_text", description="Which comments to keep.")
    ocr: bool = Field(default=True, description="Recognise text in pictures; False needs v1.")
    img_correction: bool = Field(default=False, description="Straighten pictures; needs v1.")
    formula_only: bool = Field(default=False, description="A picture is a formula; needs v1.")

    @classmethod
    def class_name(cls) -> str:
        """Name the class for :data:`llama_index.core.readers.loading.ALL_READERS`."""
        return "Doc2XReader"

    @classmethod
    def suffixes(cls) -> tuple[str, ...]:
        """Which files of a folder are meant."""
        return (".pdf", ".png", ".jpg", ".jpeg")

    def _options(self) -> LoaderOptions:
        return read_doc2x_options(
            api_key=self.api_key,
            base_url=self.base_url,
            api_version=self.api_version,
            mode=self.mode,
            model=self.model,
            formula_style=self.formula_style,
            comments=self.comments,
            ocr=self.ocr,
            img_correction=self.img_correction,
            formula_only=self.formula_only,
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


ALL_READERS[Doc2XReader.class_name()] = Doc2XReader
