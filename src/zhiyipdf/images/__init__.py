"""Finds, rewrites and removes the pictures that a Markdown text shows, without touching the rest.

Pure; used by the unpacker, the block splitter, grounding and the documents alike, and therefore
a layer of its own below them.
"""

from zhiyipdf.images.edits import Edit, apply_edits, follow_edits
from zhiyipdf.images.masking import open_fence
from zhiyipdf.images.references import ImageReference, image_references
from zhiyipdf.images.rewriting import image_edits, image_removals, remove_images, rewrite_images

__all__ = [
    "Edit",
    "ImageReference",
    "apply_edits",
    "follow_edits",
    "image_edits",
    "image_references",
    "image_removals",
    "open_fence",
    "remove_images",
    "rewrite_images",
]
