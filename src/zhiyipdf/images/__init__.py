"""Finds, rewrites and removes the pictures that a Markdown text shows, without touching the rest.

Pure; used by the unpacker, the block splitter, grounding and the documents alike, and therefore
a layer of its own below them.
"""

from zhiyipdf.images.masking import open_fence
from zhiyipdf.images.references import ImageReference, image_references
from zhiyipdf.images.rewriting import Edit, image_edits, remove_images, rewrite_images

__all__ = [
    "Edit",
    "ImageReference",
    "image_edits",
    "image_references",
    "open_fence",
    "remove_images",
    "rewrite_images",
]
