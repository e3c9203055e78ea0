"""Unpacks a service's answer: which file is what, with everything hostile refused beforehand.

::

    directory.py    what a ZIP says it holds
    names.py        what those names mean, and which are refused
    archive.py      the plan: every check before anything is written
    extraction.py   writing by the plan
    sniffing.py     what bytes are, whatever their name says
    roles.py        which Markdown is which variant
    layout.py       pages and boxes that a service tells itself
    links.py        which file a picture's target means; keys in URLs
    unpacking.py    all of it, in order
"""

from zhiyipdf.bundle.archive import ArchivePlan, PlannedFile, plan_archive
from zhiyipdf.bundle.layout import LAYOUT_NAME, layout_facts, read_layout, write_layout
from zhiyipdf.bundle.unpacking import Unpacked, UnpackedFile, unpack
from zhiyipdf.images import ImageReference, image_references, remove_images, rewrite_images

__all__ = [
    "LAYOUT_NAME",
    "ArchivePlan",
    "ImageReference",
    "PlannedFile",
    "Unpacked",
    "UnpackedFile",
    "image_references",
    "layout_facts",
    "plan_archive",
    "read_layout",
    "remove_images",
    "rewrite_images",
    "unpack",
    "write_layout",
]
