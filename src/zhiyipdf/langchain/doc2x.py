"""Loads PDFs and pictures as LangChain documents through Doc2X."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from zhiyipdf.doc2x_loader_options import read_doc2x_options
from zhiyipdf.documents import ImageMode, MetadataStyle
from zhiyipdf.langchain.base import PDFLoader
from zhiyipdf.loader_options import ApiKey, Location, OnError
from zhiyipdf.models import Comments, Doc2XModel, Doc2XVersion, FormulaStyle, Mode

if TYPE_CHECKING:
    from zhiyipdf.converter import Converter

__all__ = ["Doc2XLoader"]


class Doc2XLoader(PDFLoader):
    r"""Load PDFs, PNG and JPEG pictures as Markdown documents through Doc2X, or without it.

    Pages are exact: the service tells them, and with ``model="v3-2026"`` the place of each block.

    Setup:
        .. code-block:: bash

            pip install "zhiyipdf[langchain]"
            export DOC2X_API_KEY="sk-..."

        Without a key: ``pip install "zhiyipdf[langchain,local]"`` and ``base_url="local"``.

    Instantiate:
        .. code-block:: python

            from zhiyipdf import Doc2XLoader

            loader = Doc2XLoader("paper.pdf", mode="block", model="v3-2026")

    Lazy load:
        .. code-block:: python

            for document in loader.lazy_load():
                print(document.metadata["page_number"], document.page_content[:100])

        Nothing is uploaded before the first document is asked for. Files are converted side by
        side; their documents come in the order of the input, each as soon as its file is done.

    Async load:
        .. code-block:: python

            documents = await loader.aload()
            async for document in loader.alazy_load():
                ...

    Args:
        file_path: Local path, folder, glob, any fsspec URL, bytes, a binary file, a Blob, or a
            sequence of these. Of a folder, PDFs and pictures are meant.
        api_key: One key or several, which are used side by side; default ``DOC2X_API_KEY``.
        base_url: Default ``DOC2X_BASE_URL``, else the hosted service; ``"local"`` converts in this
            machine's own processes, without a key.
        api_version: ``"v2"``, or ``"v1"``, which was said to be retired in October 2024.
        mode: ``"single"``: a document for each file; ``"page"``: for each page; ``"block"``: for
            each heading, paragraph, table…
        model: ``"v2"``, or ``"v3-2026"``, which tells where each block stands on its page.
        formula_style: ``"dollar"`` for ``$…$``, ``"bracket"`` for ``\(…\)``.
        comments: ``"figure_text"`` keeps the text that was read in figures, ``"all"`` every comment
            of the service, ``"none"`` no comment.
        ocr: Whether text in the pictures of a PDF is recognised; False needs ``"v1"``.
        img_correction: Whether a picture is straightened first; needs ``"v1"``.
        formula_only: Whether a picture is nothing but a formula; needs ``"v1"``.
        pages: Which pages of each PDF, for example ``"1-20,35"`` or ``"5-"``; default all. Only
            these are sent and paid for; their numbers stay those of the PDF.
        include_empty_pages: With ``mode="page"``, give pages without text a document, too; they are
            left out otherwise.
        images: ``"reference"``: URIs in the Markdown and the metadata; ``"documents"``: and a
            document for each picture; ``"inline"``: ``data:`` URIs; ``"drop"``: none.
        image_dir: fsspec URL to export the pictures to; default: they are in the store.
        metadata_style: ``"rich"``, or ``"flat"`` for stores that take no lists.
        store: fsspec URL where results are kept, so that nothing is paid twice; default
            ``ZHIYIPDF_STORE``, else the user's cache folder; False: keep nothing.
        max_points: Stop before an upload would pass this sum; Doc2X counts pages.
        on_error: ``"raise"``, or ``"skip"``: log at ERROR, list in :attr:`report`, go on.
        show_progress: Draw a progress bar.
        storage_options: For fsspec.
        converter: A ready Converter instead of ``api_key``, ``base_url``, ``store`` and
            ``max_points``; it must speak to Doc2X.

    Raises:
        ValueError: An option has a value that is not among those above.
    """

    def __init__(
        self,
        file_path: Any,
        *,
        api_key: ApiKey | None = None,
        base_url: str | None = None,
        api_version: Doc2XVersion = "v2",
        mode: Mode = "page",
        model: Doc2XModel = "v2",
        formula_style: FormulaStyle = "dollar",
        comments: Comments = "figure_text",
        ocr: bool = True,
        img_correction: bool = False,
        formula_only: bool = False,
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
        options = read_doc2x_options(
            api_key=api_key,
            base_url=base_url,
            api_version=api_version,
            mode=mode,
            model=model,
            formula_style=formula_style,
            comments=comments,
            ocr=ocr,
            img_correction=img_correction,
            formula_only=formula_only,
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
        super().__init__(file_path, options, converter=converter)
