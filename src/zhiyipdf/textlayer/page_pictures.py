"""Find the pictures that a page draws, and where it draws without one."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pypdfium2.raw as pdfium_c

from zhiyipdf.textlayer.boxes import UserBox, common, has_area

__all__ = ["Drawn", "read_drawn"]

_DEEPEST = 5
"""Form XObjects inside one another. Figures of the corpus stand two deep."""

_MOST_OBJECTS = 20_000
"""Objects looked at on a page: 15 ms. A map or a drawing may have a hundred thousand, all paths."""

_MOST_PICTURES = 1_000
"""Pictures of a page. Pages drawn as strips have up to a hundred."""

_MOST_PATHS = 500
"""Paths measured of those beside each other: where there are more, some of all of them, evenly, for
a map's or a plot's extent shows in a part of its lines."""

_RULE = 2.0
"""Points. What is thinner is a rule: it parts text, frames a table, underlines."""

_LARGE = 144.0
"""Points. Of what is larger it is worth while to see what is clipped away: grounds, shadings."""

_MOST_CLIPS, _MOST_SEGMENTS = 10, 200
"""Paths that clip a picture, and their segments, that are looked at: most are one rectangle."""

_UNIT_SQUARE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
"""What every image fills, before its matrix places it (ISO 32000-1, 8.9.5)."""

_PATHS = frozenset({pdfium_c.FPDF_PAGEOBJ_PATH, pdfium_c.FPDF_PAGEOBJ_SHADING})
_Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_EVERYWHERE: UserBox = (-math.inf, -math.inf, math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a page draws beside text, in user space, in the order drawn.

    Attributes:
        pictures: Boxes of its image objects. What a path clips away does not count.
        paths: Boxes of its paths and shadings, without rules; of very many a part.
    """

    pictures: list[UserBox] = field(default_factory=list)
    paths: list[UserBox] = field(default_factory=list)


def read_drawn(page: Any) -> Drawn:
    """Find the pictures and paths of a loaded page, those of form XObjects among them."""
    search = _Search()
    search.look(
        pdfium_c.FPDFPage_CountObjects(page),
        partial(pdfium_c.FPDFPage_GetObject, page),
        _IDENTITY,
        _EVERYWHERE,
        0,
    )
    return search.found


class _Search:
    """A walk through the objects of one page that ends in any case."""

    def __init__(self) -> None:
        self.found = Drawn()
        self._left = _MOST_OBJECTS
        self._edges = tuple(ctypes.c_float() for _ in range(4))

    def look(
        self, count: int, item: Callable[[int], Any], place: _Matrix, clip: UserBox, depth: int
    ) -> None:
        pictures = self.found.pictures
        step = 1 + min(count, _MOST_OBJECTS) // _MOST_PATHS
        for i in range(count):
            if self._left == 0 or len(pictures) == _MOST_PICTURES:
                return
            self._left -= 1
            thing = item(i)
            kind = pdfium_c.FPDFPageObj_GetType(thing)
            if kind in _PATHS:
                if i % step == 0 and len(self.found.paths) < _MOST_PATHS:
                    self._measure(thing, place, clip)
            elif kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
                whole = _around(_UNIT_SQUARE, _times(_matrix(thing), place))
                box = common([clip, whole, *_clips(thing, place)])
                if has_area(box):
                    pictures.append(box)
            elif kind == pdfium_c.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
                self.look(
                    pdfium_c.FPDFFormObj_CountObjects(thing),
                    partial(pdfium_c.FPDFFormObj_GetObject, thing),
                    _times(_matrix(thing), place),
                    common([clip, *_clips(thing, place)]),
                    depth + 1,
                )

    def _measure(self, thing: Any, place: _Matrix, clip: UserBox) -> None:
        """Add the box of a path or a shading that is no rule."""
        if not pdfium_c.FPDFPageObj_GetBounds(thing, *self._edges):
            return
        left, bottom, right, top = (edge.value for edge in self._edges)
        if place is not _IDENTITY:
            corners = ((left, bottom), (right, bottom), (left, top), (right, top))
            left, bottom, right, top = _around(corners, place)
        if right - left > _RULE and top - bottom > _RULE:
            box = (left, bottom, right, top)
            if clip is not _EVERYWHERE:
                box = common([clip, box])
            if min(right - left, top - bottom) > _LARGE:
                box = common([box, *_clips(thing, place)])
            if has_area(box):
                self.found.paths.append(box)


def _clips(thing: Any, place: _Matrix) -> Iterator[UserBox]:
    """Give a box around each path that an object is clipped by; very long ones are left out."""
    clip = pdfium_c.FPDFPageObj_GetClipPath(thing)
    if not clip:
        return
    x, y = ctypes.c_float(), ctypes.c_float()
    for path in range(min(pdfium_c.FPDFClipPath_CountPaths(clip), _MOST_CLIPS)):
        count = pdfium_c.FPDFClipPath_CountPathSegments(clip, path)
        if 0 < count <= _MOST_SEGMENTS:
            points = []
            for i in range(count):
                segment = pdfium_c.FPDFClipPath_GetPathSegment(clip, path, i)
                if pdfium_c.FPDFPathSegment_GetPoint(segment, x, y):
                    points.append((x.value, y.value))
            if points:
                yield _around(points, place)


def _matrix(thing: Any) -> _Matrix:
    found = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(thing, found):
        return _IDENTITY
    return found.a, found.b, found.c, found.d, found.e, found.f


def _times(inner: _Matrix, outer: _Matrix) -> _Matrix:
    """Join two matrices: first ``inner``, then ``outer`` (ISO 32000-1, 8.3.4)."""
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        e * p + f * r + t,
        e * q + f * s + u,
    )


def _around(points: Sequence[tuple[float, float]], matrix: _Matrix) -> UserBox:
    """Box around points as a matrix places them."""
    a, b, c, d, e, f = matrix
    across = [a * x + c * y + e for x, y in points]
    up = [b * x + d * y + f for x, y in points]
    return min(across), min(up), max(across), max(up)
