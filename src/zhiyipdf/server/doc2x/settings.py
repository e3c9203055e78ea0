"""What an operator can set of Doc2X: limits, lifetimes and faults to rehearse."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Doc2XSettings"]

MB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc2XSettings:
    """Numbers of the Doc2X service; "notes" is the wire notes' section they come from.

    Attributes:
        v1_pdf_bytes: Largest PDF of version 1: 100 MB (notes 1.2).
        v1_image_bytes: Largest image of version 1: 10 MB (notes 1.2).
        v2_pdf_bytes: Largest PDF of version 2: 1 GB (notes 2.2).
        v2_direct_bytes: Largest PDF of version 2 that comes with its request, the older way: 300 MB
            (notes 2.2).
        v2_image_bytes: Largest image of version 2: 7 MB (notes 2.4).
        max_pages: Most pages of a PDF: 2000 (notes 2.5).
        tasks_per_key: Tasks of one key that may be alive: 10 (notes 1.4).
        pages_per_key: Their pages together: 1000, the budget the vendor's client keeps (notes 4.1).
            A single longer PDF is admitted when nothing else of its key is alive.
        lock_after: Times the same broken file of a key is looked at; further ones are locked. How
            many is not public (notes 1.4, 2.5).
        lock_s: Seconds it stays locked: a day (notes 2.5).
        retention_s: Seconds results and pictures are kept: 24 hours (notes 0.4).
        upload_url_s: Seconds an upload URL is valid: 5 minutes (notes 0.4).
        download_url_s: Seconds a download URL is valid; not public.
        access_token_s: Seconds an access token is valid; not public.
        images_per_window: Images one key may send in a window: 30 (notes 2.4).
        image_window_s: Length of that window: 30 seconds (notes 2.4).
        refuse_multipart: Whether the object store refuses a form where it wants raw bytes.
        throttle_share: Share, 0 to 1, of the calls to version 2 that are answered with a throttle:
            HTTP 429 or one of the codes. For rehearsals; a throttled call does nothing.
        throttle_seed: Of the generator that chooses them.

    Raises:
        ValueError: A number is out of range.
    """

    v1_pdf_bytes: int = 100 * MB
    v1_image_bytes: int = 10 * MB
    v2_pdf_bytes: int = 1024 * MB
    v2_direct_bytes: int = 300 * MB
    v2_image_bytes: int = 7 * MB
    max_pages: int = 2000
    tasks_per_key: int = 10
    pages_per_key: int = 1000
    lock_after: int = 3
    lock_s: float = 24 * 3600.0
    retention_s: float = 24 * 3600.0
    upload_url_s: float = 300.0
    download_url_s: float = 3600.0
    access_token_s: float = 24 * 3600.0
    images_per_window: int = 30
    image_window_s: float = 30.0
    refuse_multipart: bool = False
    throttle_share: float = 0.0
    throttle_seed: int = 0

    def __post_init__(self) -> None:
        free = {"refuse_multipart", "throttle_share", "throttle_seed"}
        for name in (field.name for field in fields(self) if field.name not in free):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")
        if not 0 <= self.throttle_share <= 1:
            raise ValueError("throttle_share must be from 0 to 1")
