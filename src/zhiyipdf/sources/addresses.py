"""Read URLs without opening them: names, patterns, and the form that may be shown."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

__all__ = [
    "file_name",
    "has_magic",
    "is_url",
    "printable",
    "public_uri",
    "scheme_of",
    "scrubbed",
    "without_query",
]

UNNAMED = "document.pdf"

# Two letters at least: "C:" is a drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_USERINFO = re.compile(r"(://)[^/]*@")
_HTTP_USERINFO = re.compile(r"(://)[^/?#]*@")
# What stands before "@" there is no credential: a container, a repository, a revision.
_AT_IS_PART_OF_THE_NAME = {"abfs", "abfss", "az", "wasb", "wasbs", "github", "git", "hf"}
# Parameters that grant access: AWS and Google signatures (both versions), CloudFront, Azure SAS,
# and the plain words for keys.
_SIGNATURE = re.compile(
    r"x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|key-pair-id|policy|signature|sig|expires"
    r"|token|access_token|auth|api_?key|apikey|password|secret",
    re.IGNORECASE,
)


def scheme_of(text: str) -> str:
    """The URL's scheme in lower case, or "" for what is no URL."""
    match = _SCHEME.match(text)
    return match[1].lower() if match else ""


def is_url(text: str, *, protocols: frozenset[str]) -> bool:
    """Whether fsspec rather than the local disk is meant.

    Args:
        text: What the caller wrote.
        protocols: Those fsspec knows: ``simplecache::/a.pdf`` is a chained URL because the first
            link is one of them, ``notes::2.pdf`` is a file name.
    """
    first, chained, _ = text.partition("::")
    return bool(scheme_of(text)) or bool(chained and first in protocols)


def public_uri(text: str) -> str:
    """The URL as it may stand in metadata, logs and errors; local paths are not changed.

    Everything before ``@`` in the host part goes (``sftp://me:secret@host/a.pdf`` becomes
    ``sftp://host/a.pdf``), and so do query parameters that grant access (signatures of presigned
    URLs, tokens, keys): they would end up in vector stores, and they change with each signing,
    which would index the same PDF again. The rest of the query stays; it may name the document.
    In a chained URL this holds for each link.
    """
    return printable("::".join(_public_link(link) for link in text.split("::")))


def _public_link(link: str) -> str:
    scheme = scheme_of(link)
    if not scheme or scheme in _AT_IS_PART_OF_THE_NAME:
        return link
    if scheme not in {"http", "https"}:
        return _USERINFO.sub(r"\1", link, count=1)
    link = _HTTP_USERINFO.sub(r"\1", link, count=1)
    address, question_mark, rest = link.partition("?")
    if not question_mark:
        return link
    query, number_sign, fragment = rest.partition("#")
    kept = "&".join(p for p in query.split("&") if not _grants_access(p))
    return address + ("?" + kept if kept else "") + number_sign + fragment


def _grants_access(parameter: str) -> bool:
    return _SIGNATURE.fullmatch(unquote(parameter.partition("=")[0])) is not None


def without_query(uri: str) -> str:
    """The URL up to ``?`` or ``#`` where it is http(s), for messages."""
    if scheme_of(uri) not in {"http", "https"}:
        return uri
    return re.split(r"[?#]", uri, maxsplit=1)[0]


def scrubbed(message: str, url: str) -> str:
    """Another program's message about a URL, without the credentials that the URL holds."""
    for link in url.split("::"):
        if scheme_of(link) in _AT_IS_PART_OF_THE_NAME:
            continue
        userinfo = link.partition("://")[2].partition("/")[0].rpartition("@")[0]
        password = userinfo.partition(":")[2]
        for secret in (userinfo, password, unquote(password)):
            if secret:
                message = message.replace(secret, "…")
    message = re.sub(r"(https?://)[^\s/?#'\"]*@", r"\1", message)
    return re.sub(r"(https?://[^\s?'\"]*)\?[^\s'\")]*", r"\1", message)


def file_name(text: str) -> str:
    """The name of the file behind a path or URL: no folders, query or credentials.

    In a chained URL that is the first link with a path: ``zip://in/a.pdf::s3://b/all.zip`` is
    ``a.pdf``. Where nothing names a file it is ``document.pdf``.
    """
    *first, last = text.split("::")
    # A first link without a path is a protocol: simplecache::s3://b/a.pdf
    for link in [link for link in first if not link.isalnum()] + [last]:
        path = link.partition("://")[2] if scheme_of(link) else link
        if scheme_of(link) in {"http", "https"}:
            path = unquote(urlsplit(_public_link(link)).path)
        name = re.sub(r"[\x00-\x1f\x7f]", "_", PurePosixPath(path).name)
        if name not in {"", "..", ".", "*"}:
            return printable(name)
    return UNNAMED


def has_magic(path: str) -> bool:
    """Whether a path is a glob pattern; in http(s) URLs ``?`` begins the query and is none."""
    if scheme_of(path) in {"http", "https"}:
        return re.search(r"[*\[]", without_query(path)) is not None
    return re.search(r"[*?\[]", path) is not None


def printable(text: str) -> str:
    """Text that can be encoded: bytes of a file name that are no UTF-8 become ``\ufffd``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
