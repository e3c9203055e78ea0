"""Any input a caller may name → PDFs on the local disk, found fit to convert.

::

    addresses   what a URL says: its name, its public form without credentials; pure
    remote      the door to fsspec, with its errors made readable
    listing     expand(): paths, URLs, folders, globs, bytes, blobs, lists → SourceRef
    opening     opened(): SourceRef → Source, copied here if need be, checked, hashed

All of it is synchronous and may block: call it in a worker thread.
"""

from zhiyipdf.sources.addresses import public_uri
from zhiyipdf.sources.listing import SourceRef, expand
from zhiyipdf.sources.opening import opened

__all__ = ["SourceRef", "expand", "opened", "public_uri"]
