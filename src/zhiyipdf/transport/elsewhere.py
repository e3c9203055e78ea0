"""Addresses that a service hands out on other hosts: which may be called without a key."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from zhiyipdf.errors import ProtocolError
from zhiyipdf.transport.origin import Origin

__all__ = ["ElsewhereURL", "is_public"]


@dataclass(frozen=True, slots=True)
class ElsewhereURL:
    """A checked address outside the documented paths: a signed URL, a picture of a CDN.

    Its query is often a signature, which is as good as a password while it lives, so it is kept
    apart: httpx logs the URLs it is given, and never sees this part as one.

    Attributes:
        url: Without the query.
        host: For messages.
        target: Path and query as they are sent.
        own: Whether it is on the configured origin itself.
    """

    url: str
    host: str
    target: bytes = field(repr=False)
    own: bool

    @classmethod
    def parse(cls, reference: str, origin: Origin) -> Self:
        r"""Check an address that a service sent.

        Args:
            reference: Absolute, or relative to the origin. ``&`` may be spelt as the six characters
                ``\\u0026`` (wire notes 2.3).
            origin: The configured one; its own addresses are allowed whatever they are.

        Raises:
            ProtocolError: It is no https address of a public host, or it holds credentials. Its
                query is not in the message.
        """
        reference = reference.strip().replace("\\u0026", "&")
        if reference.startswith("/") and not reference.startswith("//"):
            reference = f"{origin.root}{reference}"
        try:
            parts = urlsplit(reference)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise ProtocolError("the service sent an address that is none") from None
        if parts.username or parts.password:
            raise ProtocolError("the service sent an address with credentials")
        own = origin.is_own(parts.scheme, host, port)
        if not own and (parts.scheme != "https" or not is_public(host)):
            raise ProtocolError(
                f"the service sent an address that is not public: {parts.scheme}://{host}"
            )
        if any(character <= " " or character == "\x7f" for character in reference):
            raise ProtocolError(f"the service sent an address with blanks: https://{host}")
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        bracketed = f"[{host}]" if ":" in host else host
        place = bracketed if port is None else f"{bracketed}:{port}"
        return cls(
            f"{parts.scheme}://{place}{path}", host, target.encode("utf-8", "surrogatepass"), own
        )

    def check_addresses(self) -> None:
        """Refuse a public name that leads into a private network; blocking.

        Raises:
            ProtocolError: It does.
        """
        if self.own:
            return
        try:
            found = socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM)
        except OSError:
            return  # the call itself will say so, or a proxy knows the name
        _refuse_private(self.host, (str(address[4][0]) for address in found))


def is_public(host: str) -> bool:
    """Whether a host's name or address may be one that everybody can reach."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        local = (".localhost", ".local", ".internal", ".home.arpa", ".lan")
        # A name without a dot is one of the local network; one of digits is an address in disguise.
        return (
            "." in host.strip(".")
            and not host.rstrip(".").endswith(local)
            and not host.rstrip(".").rpartition(".")[2].isdecimal()
        )


def _refuse_private(host: str, addresses: Iterable[str]) -> None:
    for address in addresses:
        if not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise ProtocolError(f"the service sent an address that is not public: {host}")
