"""A conversion as one HTML page: the PDF's pages on the left, its Markdown on the right.

::

    rendering   Markdown of a block → HTML that can do no harm
    standing    what is known of a block's place, in the words and colours of the page
    shown       a block → its element and its boxes
    pictures    pages of a PDF → PNG pictures that are not too large
    allowance   pictures of the Markdown → those there is no room for
    page        all of it → one self-contained file, piece by piece

The page fetches nothing and runs no script but its own: static/ holds its frame, style and script.
"""

from zhiyipdf.preview.page import PreviewPage
from zhiyipdf.preview.pictures import PagePicture, draw_pages

__all__ = ["PagePicture", "PreviewPage", "draw_pages"]
