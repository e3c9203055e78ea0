"""Every limit, interval and deadline, with its unit and where the number comes from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ArchiveLimits", "Limits", "Polling", "Retry", "Timeouts"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and how patiently a call is repeated.

    Attributes:
        attempts: Attempts of a call that costs nothing (poll, balance, download), first included.
        upload_attempts: Attempts of an upload; only failures that prove nothing was paid count.
        base_s: Upper bound of the first pause; it doubles each time. The pause is drawn from 0 to
            the bound ("full jitter"): in a measured outage of 10 s with 200 clients the peak load
            afterwards was 304/s with it and 1,050/s without (transport study 2.5).
        cap_s: Largest bound.
        retry_after_cap_s: Longest ``Retry-After`` that is waited for; a longer one is raised.
    """

    attempts: int = 5
    upload_attempts: int = 3
    base_s: float = 0.5
    cap_s: float = 8.0
    retry_after_cap_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """How often the state of a task is asked for, and for how long.

    Attributes:
        interval_min_s: Shortest pause. The API page asks for 1 to 3 s, section 2 and note 3.
        interval_max_s: Longest pause.
        eager_s: So long after the upload the shortest pause is kept; then it grows to the longest
            (transport study, section 3).
        jitter: Each pause is multiplied by a number drawn from this to 1.
        processing_s: Deadline of processing, without pages.
        processing_s_per_page: Added to it for each page.
        waiting_s: Deadline of waiting in the service's queue; counted apart.
        not_found_grace_s: So long after the upload "404" means "not yet".
    """

    interval_min_s: float = 1.0
    interval_max_s: float = 3.0
    eager_s: float = 20.0
    jitter: float = 0.9
    processing_s: float = 600.0
    processing_s_per_page: float = 5.0
    waiting_s: float = 6 * 3600.0
    not_found_grace_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much at once, and how much at all.

    Attributes:
        in_flight_per_key: Tasks uploaded and not yet finished. The service processes three of a key
            (API page, "并发限制"); two more waiting in its queue hide upload and polling delays,
            and more only cost polls (transport study, section 3).
        uploads_per_key: Uploads at the same moment.
        max_file_bytes: API page, "文件限制": 300 MB, and its example has 314572800.
        max_pages: The same section.
        retention_s: Results are kept for 7 days, the same page, "数据保留".
        max_download_bytes: A result larger than this is not fetched (the vendor's own client stops
            at 2 GiB; wire notes 3.2).
    """

    in_flight_per_key: int = 5
    uploads_per_key: int = 3
    max_file_bytes: int = 300 * MIB
    max_pages: int = 800
    retention_s: float = 7 * 86400.0
    max_download_bytes: int = 2048 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long one step of one call may take, in seconds (transport study 1.8).

    Attributes:
        connect_s: TCP and TLS.
        write_s: Until the next piece is taken by the network.
        read_s: Until the next piece arrives, for polls and downloads.
        upload_read_s: The same for the answer to an upload: the service counts up to 800 pages
            after the last byte.
        call_s: A poll or a balance, in all.
        upload_s: An upload in all, without its size.
        upload_bytes_per_s: Slowest link that is waited for; adds ``size / this`` to ``upload_s``.
        download_bytes_per_s: A download slower than this over ``download_window_s`` is given up.
        download_window_s: See above.
    """

    connect_s: float = 10.0
    write_s: float = 60.0
    read_s: float = 20.0
    upload_read_s: float = 180.0
    call_s: float = 30.0
    upload_s: float = 300.0
    upload_bytes_per_s: float = 50_000.0
    download_bytes_per_s: float = 1_000.0
    download_window_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What an archive may hold before it is refused unread (transport study 4.3).

    Attributes:
        max_entries: Files and folders.
        max_directory_bytes: Size of the central directory.
        max_archive_bytes: Size of the archive.
        max_entry_bytes: Unpacked size of one file.
        max_total_bytes: Unpacked size of all.
        max_ratio: Unpacked over packed, for files above ``ratio_floor_bytes`` and for the whole.
        ratio_floor_bytes: Small files may shrink as they like.
        max_depth: Folders in a name.
        max_name_bytes: One part of a name, UTF-8.
        max_path_bytes: A whole name, UTF-8.
        max_text_bytes: Markdown and text files beside it, together; they are read into memory.
    """

    max_entries: int = 20_000
    max_directory_bytes: int = 32 * MIB
    max_archive_bytes: int = 2048 * MIB
    max_entry_bytes: int = 1024 * MIB
    max_total_bytes: int = 4096 * MIB
    max_ratio: float = 200.0
    ratio_floor_bytes: int = 10 * MIB
    max_depth: int = 16
    max_name_bytes: int = 255
    max_path_bytes: int = 1024
    max_text_bytes: int = 256 * MIB
