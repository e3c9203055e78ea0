"""Decides which file a picture's target means, and takes keys out of URLs.

The service writes pictures as files beside the Markdown, or as URLs that hold the caller's own key:
``https://host/images/{api_key}/{task_id}/{name}`` (wire notes, 3.2).
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from urllib.parse import quote, unquote_to_bytes

from zhiyipdf.images import image_references, rewrite_images

__all__ = ["AssetNames", "hide_keys", "is_remote", "keys_in"]

_REMOTE = re.compile(r"(?:https?|data):|//", re.IGNORECASE)
_KEY_URL = re.compile(
    r"(?P<host>(?:https?:)?//[^/\s\"'<>()\[\]\\]+)?/images/(?P<key>[^/\s\"'<>()?#\\]+)"
    r"/(?P<task>[A-Za-z0-9_-]{1,64})/(?P<name>[^\s\"'<>?#|\\/()]+)(?:[?#][^\s\"'<>()]*)?",
    re.IGNORECASE,
)
# In a picture's target nothing ends the URL but its end.
_KEY_TARGET = re.compile(
    r"(?P<host>(?:https?:)?//[^/\s]+)?/images/(?P<key>[^/?#]+)"
    r"/(?P<task>[A-Za-z0-9_-]{1,64})/(?P<name>[^/?#]+)(?:[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_KEY = re.compile(r"sk-.+|(?=[^/]*\d)[A-Za-z0-9_.-]{20,}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_YEAR_OR_MONTH = re.compile(r"\d{1,4}")
_MIN_KEY = 6  # shorter ones would hit words of the text


class AssetNames:
    """The files that pictures may mean, under the names they are given.

    Args:
        names: The name each file is given, by its path in the archive.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = {_folded(path): name for path, name in names.items()}
        self._exact = dict(names)
        by_base: dict[str, set[str]] = {}
        for path, name in names.items():
            by_base.setdefault(_folded(posixpath.basename(path)), set()).add(name)
        self._by_base = {base: next(iter(n)) for base, n in by_base.items() if len(n) == 1}

    def resolve(self, target: str, folder: str, root: str) -> str | None:
        """Give the name of the file that a target means.

        Args:
            target: Of a picture.
            folder: Where the Markdown file is: "" or a path that ends with a slash.
            root: The folder that all files are in, written likewise.

        Returns:
            None if there is no such file. Only names are compared; no disk is asked.
        """
        for spelling in _spellings(target):
            bases = (root,) if spelling.startswith("/") else (folder, root)
            for base in bases:
                path = posixpath.normpath(base + spelling.lstrip("/"))
                name = self._exact.get(path) or self._names.get(_folded(path))
                if name is not None:
                    return name
        return None

    def find(self, base: str) -> str | None:
        """Give the name of the one file that is called so, in whatever folder."""
        return next((n for s in _spellings(base) if (n := self._by_base.get(_folded(s)))), None)


def is_remote(target: str) -> bool:
    """Whether a target is not meant to be a file beside the Markdown: a web address or data."""
    return _REMOTE.match(target) is not None


def keys_in(texts: Iterable[str]) -> dict[str, bool]:
    """Find the keys that URLs of pictures, or plain URLs like theirs, hold.

    Returns:
        Each, with whether it is one beyond doubt, so that it may be looked for elsewhere too.
    """
    found: dict[str, bool] = {}
    for text in texts:
        if "/images/" not in text.lower():
            continue
        for reference in image_references(text):
            match = _KEY_TARGET.fullmatch(reference.target)
            if match is not None and _may_hold_key(match):
                found[match["key"]] = found.get(match["key"], False) or _holds_key(match)
        found.update({match["key"]: True for match in _KEY_URL.finditer(text) if _holds_key(match)})
    return found


def hide_keys(text: str, keys: Mapping[str, bool], names: AssetNames) -> str:
    """Rewrite the URLs that hold a key to the file they show, and blank the keys elsewhere.

    Args:
        text: Markdown.
        keys: As found by :func:`keys_in` in all texts of the answer.
        names: A URL becomes the name of the file called as it ends, else ``images/`` and that end.
    """
    if not keys:
        return text

    def own(match: re.Match[str]) -> str:
        base = next(iter(_decodings(match["name"])), match["name"])
        return names.find(match["name"]) or f"images/{base}"

    def shown(target: str) -> str | None:
        match = _KEY_TARGET.fullmatch(target)
        return own(match) if match and match["key"] in keys else None

    text = rewrite_images(text, shown)
    text = _KEY_URL.sub(lambda m: quote(own(m)) if m["key"] in keys else m[0], text)
    for key in sorted(keys, key=len, reverse=True):
        if keys[key] and len(key) >= _MIN_KEY:
            text = text.replace(key, "***")
    return text


def _holds_key(match: re.Match[str]) -> bool:
    """Whether a URL surely holds a key: its key or its task looks like one."""
    return bool(_KEY.fullmatch(match["key"]) or _UUID.fullmatch(match["task"]))


def _may_hold_key(match: re.Match[str]) -> bool:
    """Whether a picture's URL may hold a key: those of the right shape do, unless they are dated.

    A link in the text may be the PDF's own; a picture from the web in a converted PDF is not.
    """
    dated = _YEAR_OR_MONTH.fullmatch(match["key"]) and _YEAR_OR_MONTH.fullmatch(match["task"])
    return _holds_key(match) or (match["host"] is not None and not dated)


def _spellings(target: str) -> Iterable[str]:
    """Give the paths that a target may stand for, the most literal first."""
    seen: set[str] = set()
    for plain in (target, re.sub(r"[?#].*", "", target, flags=re.DOTALL)):
        for spelling in (plain, *_decodings(plain)):
            path = unicodedata.normalize("NFC", spelling.replace("\\", "/").strip())
            if path and path not in seen:
                seen.add(path)
                yield path


def _decodings(target: str) -> Iterable[str]:
    """Resolve percent signs; bytes that are valid in both encodings may mean either."""
    raw = unquote_to_bytes(target)
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            yield raw.decode(encoding)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())
