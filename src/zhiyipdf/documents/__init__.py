"""What a conversion is handed out as: records by mode, their metadata and pictures, citations."""

from zhiyipdf.documents.metadata import (
    METADATA_STYLES,
    PAGE_INDEX_KEY,
    TECHNICAL_KEYS,
    MetadataStyle,
    MetadataValue,
    page_index,
)
from zhiyipdf.documents.records import (
    IMAGE_MODES,
    ImageMode,
    Record,
    RecordImage,
    make_records,
)

__all__ = [
    "IMAGE_MODES",
    "METADATA_STYLES",
    "PAGE_INDEX_KEY",
    "TECHNICAL_KEYS",
    "ImageMode",
    "MetadataStyle",
    "MetadataValue",
    "Record",
    "RecordImage",
    "make_records",
    "page_index",
]
