"""Finds, rewrites and removes the pictures that a Markdown text shows, without touching the rest.

Pure; used by the unpacker, the block splitter, grounding and the documents alike, and therefore
a layer of its own below them.
"""

from zhiyipdf.images.references import ImageReference, image_references
from zhiyipdf.images.rewriting import remove_images, rewrite_images

__all__ = ["ImageReference", "image_references", "remove_images", "rewrite_images"]
