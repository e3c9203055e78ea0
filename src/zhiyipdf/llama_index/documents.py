"""Writes records as LlamaIndex documents, pictures included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from llama_index.core.schema import Document, MediaResource
from pydantic import SerializationInfo, SerializerFunctionWrapHandler, model_serializer

from zhiyipdf.documents import TECHNICAL_KEYS, Record, RecordImage

__all__ = ["document_of"]

# A node parser refuses metadata longer than its chunks; a longer value of ours is not worth that.
_LONGEST_SHOWN = 160


class _ImageDocument(Document):
    """A document with a picture that can be stored.

    LlamaIndex 0.14 leaves ``MediaResource.url`` a URL object in ``to_dict``, and ``json`` refuses
    that whenever a docstore is persisted. The class name in a dump is that of Document, which is
    what a store makes of it again.
    """

    @model_serializer(mode="wrap")
    def custom_model_dump(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        """Dump as Document does, but with the picture's URL as text."""
        dumped: dict[str, Any] = super().custom_model_dump(handler, info)
        picture = dumped.get("image_resource")
        if isinstance(picture, dict) and picture.get("url") is not None:
            picture["url"] = str(picture["url"])
        return dumped


def document_of(record: Record, extra_info: Mapping[str, Any] | None) -> Document:
    """Write a record as LlamaIndex has it.

    No SOURCE relation is set: it would make every page a node of one document, and a pipeline with
    a docstore would then convert and embed all of them again on each run.
    """
    metadata = {**(extra_info or {}), **record.metadata}
    hidden = [
        key
        for key, value in record.metadata.items()
        if key in TECHNICAL_KEYS or (isinstance(value, str) and len(value) > _LONGEST_SHOWN)
    ]
    media: dict[str, MediaResource] = {}
    if record.text:
        media["text_resource"] = MediaResource(text=record.text)
    if record.kind == "image":
        media["image_resource"] = _media(record.images[0])
    form: type[Document] = _ImageDocument if record.kind == "image" else Document
    return form(
        id_=record.id,
        metadata=metadata,
        excluded_embed_metadata_keys=list(hidden),
        excluded_llm_metadata_keys=list(hidden),
        **media,
    )


def _media(image: RecordImage) -> MediaResource:
    """Refer to a picture: by path if it is local, else by URL; bytes would be lost in a docstore.

    A remote URL as ``path`` would be: ``s3://b/x`` becomes ``s3:/b/x``.
    """
    parts = urlsplit(image.uri)
    if parts.scheme == "file":
        return MediaResource(path=Path(url2pathname(parts.path)), mimetype=image.media_type)
    return MediaResource.model_validate({"url": image.uri, "mimetype": image.media_type})
