"""A real S3-compatible server on loopback (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class S3:
    """The server and one bucket on it, new for each test session.

    Attributes:
        endpoint: Its base URL.
        bucket: The bucket.
    """

    endpoint: str
    bucket: str

    @property
    def storage_options(self) -> dict[str, Any]:
        """For fsspec; no cached listings, or one test would not see what another wrote."""
        return {
            "key": "testing",
            "secret": "testing",
            "client_kwargs": {"endpoint_url": self.endpoint, "region_name": "eu-west-1"},
            "use_listings_cache": False,
        }

    def url(self, key: str) -> str:
        """The ``s3://`` URL of a key."""
        return f"s3://{self.bucket}/{key}"

    def fs(self) -> Any:
        """An s3fs filesystem of this server."""
        import fsspec

        return fsspec.filesystem("s3", **self.storage_options)

    def put(self, key: str, content: bytes) -> str:
        """Store an object and return its URL."""
        self.fs().pipe_file(f"{self.bucket}/{key}", content)
        return self.url(key)

    def folder(self) -> str:
        """A new key prefix, without a slash at the end."""
        return f"folder-{uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """A running S3-compatible server with an empty bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    running = S3(endpoint=f"http://{host}:{port}", bucket=f"bucket-{uuid4().hex[:12]}")
    running.fs().mkdir(running.bucket)
    yield running
    server.stop()
