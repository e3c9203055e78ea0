"""What a conversion is handed out as: records by mode, their metadata and pictures."""

from zhiyipdf.documents.records import (
    IMAGE_MODES,
    METADATA_STYLES,
    PAGE_INDEX_KEY,
    TECHNICAL_KEYS,
    ImageMode,
    MetadataStyle,
    MetadataValue,
    Record,
    RecordImage,
    make_records,
    page_index,
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
