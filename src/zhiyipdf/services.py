"""The services a Converter can speak to, by name: where they are, how they are asked."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from zhiyipdf.errors import AuthenticationError
from zhiyipdf.keys import ApiKey, read_keys
from zhiyipdf.models import Doc2XOptions, ParseOptions, Secret
from zhiyipdf.policy import Limits, Polling
from zhiyipdf.providers import Provider
from zhiyipdf.providers.doc2x import LIMITS as DOC2X_LIMITS
from zhiyipdf.providers.doc2x import POLLING as DOC2X_POLLING
from zhiyipdf.providers.doc2x import Doc2X
from zhiyipdf.providers.doc2x_addresses import V1_BASE_URL, V2_BASE_URL, root_of
from zhiyipdf.providers.doc2x_v1 import V1_LIMITS, Doc2XV1
from zhiyipdf.providers.zhiyipdf import BASE_URL, ZhiyiPDF
from zhiyipdf.transport import HttpTransport

__all__ = ["LOCAL", "LOCAL_POLLING", "Service", "ServiceName", "service"]

LOCAL = "local"
"""The address that means the embedded server in this process."""

LOCAL_POLLING = Polling(
    interval_min_s=0.05, interval_max_s=0.5, eager_s=2.0, requests_per_s=math.inf
)
"""In this process a poll costs nothing, and the service's wish for 1 to 3 s does not apply."""

PDFS_AND_PICTURES = (".pdf", ".png", ".jpg", ".jpeg")

ServiceName = Literal["zhiyipdf", "doc2x", "doc2x-v1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What differs between services before a call is made.

    Attributes:
        name: As callers write it.
        variables: Prefix of its environment variables: ``<prefix>_API_KEY``, ``<prefix>_BASE_URL``.
        default_url: Where the hosted service is.
        limits: What it accepts.
        polling: How often it wants to be asked.
        make: Makes its provider.
        options: Reads a caller's options; None for the defaults.
        address: Reads a configured address.
        suffixes: Which files of a folder are meant.
    """

    name: ServiceName
    variables: str
    default_url: str
    limits: Limits
    polling: Polling
    make: Callable[[HttpTransport, Limits], Provider]
    options: Callable[[ParseOptions | None], ParseOptions]
    address: Callable[[str], str]
    suffixes: tuple[str, ...] = (".pdf",)

    @property
    def key_variable(self) -> str:
        """The environment variable that holds keys."""
        return f"{self.variables}_API_KEY"

    def base_url(self, given: str | None) -> str:
        """The address to use: the given one, the environment's, or the hosted service's."""
        return given or os.environ.get(f"{self.variables}_BASE_URL") or self.default_url

    def first_key(self, api_key: ApiKey | None) -> Secret:
        """The first of the given keys, else of the environment's.

        Raises:
            AuthenticationError: There is none.
            ValueError: A key holds characters that no key has.
        """
        keys = read_keys(api_key, environment=self.key_variable)
        if not keys:
            raise self.no_key()
        return keys[0]

    def no_key(self) -> AuthenticationError:
        """The error of a call that needs a key and has none."""
        hint = f'Pass api_key=… or set {self.key_variable}; base_url="local" needs no key.'
        return AuthenticationError("there is no API key", hint=hint)


_SERVICES: Mapping[str, Service] = {
    "zhiyipdf": Service(
        name="zhiyipdf",
        variables="ZHIYIPDF",
        default_url=BASE_URL,
        limits=Limits(),
        polling=Polling(),
        make=ZhiyiPDF,
        options=lambda options: options or ParseOptions(),
        address=lambda url: url,
    ),
    "doc2x": Service(
        name="doc2x",
        variables="DOC2X",
        default_url=V2_BASE_URL,
        limits=DOC2X_LIMITS,
        polling=DOC2X_POLLING,
        make=Doc2X,
        options=lambda options: Doc2XOptions.of(options, "v2"),
        address=root_of,
        suffixes=PDFS_AND_PICTURES,
    ),
    "doc2x-v1": Service(
        name="doc2x-v1",
        variables="DOC2X",
        default_url=V1_BASE_URL,
        limits=V1_LIMITS,
        polling=Polling(),
        make=Doc2XV1,
        options=lambda options: Doc2XOptions.of(options, "v1"),
        address=root_of,
        suffixes=PDFS_AND_PICTURES,
    ),
}


def service(name: str) -> Service:
    """The service of a name.

    Raises:
        ValueError: There is none.
    """
    found = _SERVICES.get(name)
    if found is None:
        raise ValueError(f"provider must be one of {get_args(ServiceName)}, not {name!r}")
    return found
