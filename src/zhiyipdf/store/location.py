"""Where results are kept when a caller does not say so."""

from __future__ import annotations

import os

__all__ = ["default_store", "store_url"]


def default_store() -> str:
    """The folder in the user's cache that keeps results when nothing else is said."""
    import platformdirs

    return platformdirs.user_cache_dir("zhiyipdf", appauthor=False)


def store_url(store: str | os.PathLike[str] | None) -> str:
    """The place to use: the given one, that of ``ZHIYIPDF_STORE``, or the user's cache folder."""
    return os.fspath(store) if store else os.environ.get("ZHIYIPDF_STORE") or default_store()
