"""Loads PDFs as LangChain documents through ZhiyiPDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from zhiyipdf.documents import ImageMode, MetadataStyle
from zhiyipdf.langchain.base import PDFLoader
from zhiyipdf.loader_options import ApiKey, Location, OnError, read_options
from zhiyipdf.models import Language, Mode, TableMode, Variant

if TYPE_CHECKING:
    from zhiyipdf.converter import Converter

__all__ = ["ZhiyiPDFLoader"]


class ZhiyiPDFLoader(PDFLoader):
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

    Cite a chunk of any splitter:
        .. code-block:: python

            from zhiyipdf import cite

            splitter = RecursiveCharacterTextSplitter(add_start_index=True)
            for document in ZhiyiPDFLoader("paper.pdf", mode="single").lazy_load():
                for chunk in splitter.split_documents([document]):
                    print(cite(document, chunk))  # paper.pdf, p. 17

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
        include_empty_pages: With ``mode="page"``, give pages without text a document, too; they are
            left out otherwise.
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
        options = read_options(
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
        super().__init__(file_path, options, converter=converter)
