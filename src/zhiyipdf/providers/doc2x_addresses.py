"""Where Doc2X is: the hosts of its two APIs, and how a configured address is read."""

from __future__ import annotations

import re

__all__ = ["V1_BASE_URL", "V1_PREFIX", "V2_BASE_URL", "V2_PREFIX", "root_of"]

V1_BASE_URL = "https://api.doc2x.noedgeai.com"  # wire notes 5.1
V1_PREFIX = "/api"
V2_BASE_URL = "https://v2.doc2x.noedgeai.com"  # wire notes 5.2
V2_PREFIX = "/api/v2"

_PREFIX = re.compile(r"/api(?:/v2)?/*\Z|/+\Z")


def root_of(base_url: str) -> str:
    """Give an address without the path that both APIs' documents count as part of it.

    So one address serves both: ``https://host``, ``https://host/api`` and ``https://host/api/v2``
    are the same.
    """
    return _PREFIX.sub("", base_url.strip())
