"""Chooses which of the Markdown's pictures a page has room for."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["MOST_PICTURE_BYTES", "left_out"]

MOST_PICTURE_BYTES = 6_000_000
"""What all pictures of the Markdown may take: with base64's third on top, 8 MB of the file. Fifty
drawn pages take 16 MB at most, so that the whole of it stays below 25 beside its text."""


def left_out(sizes: Mapping[str, int], uses: Mapping[str, int], most_bytes: int) -> frozenset[str]:
    """Name the pictures that have no room, the fewest there can be: small ones are let in first.

    What a scan's pictures show is drawn on the left anyway; a small diagram may be seen only here.

    Args:
        sizes: Bytes of each picture, by name.
        uses: How often each is shown, at least once; each time takes its room.
        most_bytes: For all of them.
    """
    taken = {name: sizes[name] * count for name, count in uses.items()}
    without = []
    for name in sorted(taken, key=lambda name: taken[name]):  # stable: of equals the first wins
        most_bytes -= taken[name]
        if most_bytes < 0:
            without.append(name)
    return frozenset(without)
