"""The only door to httpx: one retry loop, streamed uploads and downloads, keys kept in headers.

Uploads run on a synchronous client in a thread, each on a fresh connection: httpx's asynchronous
client loses early 402 and 413 answers (ReadError in 100 % of measured cases), and a connection that
is closed while it idles fails in a way that looks like a paid upload (transport study 1.5, 1.6).
Polls and downloads use an asynchronous client whose pool is never the queue: cancelling requests
that wait in httpx 0.28's pool loses its slots for good.
"""

from zhiyipdf.transport.direct import DirectCalls
from zhiyipdf.transport.elsewhere import ElsewhereURL
from zhiyipdf.transport.gated_body import (
    GatedFile,
    SourceChangedError,
    UploadBody,
    UploadCancelledError,
)
from zhiyipdf.transport.health import Refusals
from zhiyipdf.transport.http import BytesSink, HttpTransport
from zhiyipdf.transport.multipart import MultipartUpload
from zhiyipdf.transport.origin import Origin
from zhiyipdf.transport.raw_body import RawUpload
from zhiyipdf.transport.replies import InProcess, Reply, UploadOutcome

__all__ = [
    "BytesSink",
    "DirectCalls",
    "ElsewhereURL",
    "GatedFile",
    "HttpTransport",
    "InProcess",
    "MultipartUpload",
    "Origin",
    "RawUpload",
    "Refusals",
    "Reply",
    "SourceChangedError",
    "UploadBody",
    "UploadCancelledError",
    "UploadOutcome",
]
