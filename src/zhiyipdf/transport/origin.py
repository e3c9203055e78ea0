"""Which addresses a key may be sent to: pure checks of URLs."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin, urlsplit

from zhiyipdf.errors import ProtocolError

__all__ = ["Origin"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """The scheme, host and port a service was configured with (RFC 6454), and its base path.

    Attributes:
        scheme: ``https``, or ``http`` for loopback.
        host: Lower case, without brackets.
        port: Explicit.
        base: What relative paths are joined to, without a trailing slash.
    """

    scheme: str
    host: str
    port: int
    base: str

    @classmethod
    def parse(cls, base_url: str) -> Self:
        """Read a configured base URL.

        Raises:
            ValueError: It is not https (http is allowed for loopback only), has no host, or holds
                credentials or a query, which would end up in logs.
        """
        parts = urlsplit(base_url.strip())
        host = (parts.hostname or "").lower()
        if parts.scheme not in _DEFAULT_PORTS or not host:
            raise ValueError(f"base_url must be an https:// address, not {_shown(base_url)!r}")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("base_url must hold neither credentials nor a query")
        if parts.scheme == "http" and not _is_loopback(host):
            raise ValueError(f"base_url must be https: http://{host} would send the key in clear")
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        bracketed = f"[{host}]" if ":" in host else host
        base = f"{parts.scheme}://{bracketed}:{port}{parts.path.rstrip('/')}"
        return cls(parts.scheme, host, port, base)

    def url(self, path: str) -> str:
        """Make a full URL of a documented path.

        Args:
            path: Begins with ``/``.

        Raises:
            ValueError: It is not a plain path of this origin.
        """
        if not path.startswith("/") or path.startswith("//") or "\\" in path:
            raise ValueError(f"not a path: {path!r}")
        return self.base + path

    @property
    def root(self) -> str:
        """Scheme, host and port, without a path."""
        bracketed = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{bracketed}:{self.port}"

    def is_own(self, scheme: str, host: str, port: int | None) -> bool:
        """Whether an address is on this origin.

        Args:
            scheme: Lower case.
            host: Lower case, without brackets.
            port: None for the scheme's own.
        """
        port = port or _DEFAULT_PORTS.get(scheme, 0)
        return (scheme, host, port) == (self.scheme, self.host, self.port)

    def own_url(self, reference: str, *, prefix: str) -> str:
        """Resolve an address the service sent, if it is one of its own.

        Args:
            reference: Relative or absolute.
            prefix: What its path must begin with.

        Raises:
            ProtocolError: It leads to another origin or outside ``prefix``. Its query is dropped
                from the message: it may hold a key.
        """
        joined = urlsplit(urljoin(self.base + "/", reference))
        host, scheme = (joined.hostname or "").lower(), joined.scheme
        try:
            mine = self.is_own(scheme, host, joined.port)
        except ValueError:
            mine = False
        plain = ".." not in joined.path.split("/") and "%" not in joined.path
        path = joined.path
        if not mine or not plain or not path.startswith(urlsplit(self.base + prefix).path):
            raise ProtocolError(
                f"the service sent an address that is not its own: {scheme}://{host}{path}",
                points_charged=True,
            )
        if joined.username or joined.password:
            raise ProtocolError("the service sent an address with credentials", points_charged=True)
        return f"{self.scheme}://{joined.netloc.rpartition('@')[2]}{path}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else url.partition("?")[0]
