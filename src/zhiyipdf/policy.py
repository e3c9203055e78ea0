"""Every limit, interval and deadline, with its unit and where the number comes from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ArchiveLimits",
    "CircuitBreak",
    "Limits",
    "Polling",
    "Retry",
    "RetryBudget",
    "StoreLimits",
    "Timeouts",
]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBudget:
    """How many repetitions the calls of one key share (transport study 2.5).

    The scheme is that of botocore's standard mode (``botocore.retries.quota``): while most calls
    fail, repeating each of them multiplies the load of a service that is down already.

    Attributes:
        tokens: What a key starts with, and the most it has: ten repetitions in a row.
        retry_cost: Tokens a repetition takes; without them the failure is raised at once.
        success_gain: Tokens a good answer gives back.
    """

    tokens: int = 50
    retry_cost: int = 5
    success_gain: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreak:
    """When a service counts as down, so that calls wait instead of knocking (transport study 2.5).

    Attributes:
        failures: Consecutive failed polls and balances (no answer, or 5xx) that open the circuit.
        open_s: So long nobody asks; then one call probes, and the others wait for its outcome.
    """

    failures: int = 5
    open_s: float = 10.0


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
        budget: Repetitions of all calls of a key together.
        circuit: When polls and balances wait for a service that is down.
    """

    attempts: int = 5
    upload_attempts: int = 3
    base_s: float = 0.5
    cap_s: float = 8.0
    retry_after_cap_s: float = 120.0
    budget: RetryBudget = RetryBudget()
    circuit: CircuitBreak = CircuitBreak()


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
        held_up_s: So long a task may be answered with nothing but "too many tasks" before it counts
            as failed. Doc2X says so after the upload, and to wait for earlier tasks; whether such a
            task ever begins is not public (wire notes 2.5 and 6).
        not_found_grace_s: So long after the upload "404" means "not yet".
        requests_per_s: Most polls of one key, over all its tasks (transport study, section 3:
            three tasks in process, asked for once a second each; 200 polls at once cost 0.8 s of
            CPU).
        at_once: Most polls of one key that are unanswered at the same moment: an outage that ends
            releases these, not one for every task.
        unreachable_s: So long a paid task survives polls without a usable answer (429, 5xx, no
            connection); row 22 of the study's fault table has an outage of 30 s.
        slow_down_s: A 429 without ``Retry-After`` pauses the key's polls so long; it doubles with
            each in a row, up to ``unreachable_s / 2``.
    """

    interval_min_s: float = 1.0
    interval_max_s: float = 3.0
    eager_s: float = 20.0
    jitter: float = 0.9
    processing_s: float = 600.0
    processing_s_per_page: float = 5.0
    waiting_s: float = 6 * 3600.0
    held_up_s: float = 1800.0
    not_found_grace_s: float = 30.0
    requests_per_s: float = 3.0
    at_once: int = 3
    unreachable_s: float = 120.0
    slow_down_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much at once, and how much at all.

    Attributes:
        in_flight_per_key: Tasks uploaded and not yet finished. The service processes three of a key
            (API page, "并发限制"); two more waiting in its queue hide upload and polling delays,
            and more only cost polls (transport study, section 3). It is the fewest, and what is
            used until this session knows how long uploads and parsing take.
        max_in_flight_per_key: The most, where uploads are slow (the same section: with uploads of
            10 to 60 s, 12 in flight take 7.5 % longer than the bound, 8 take 15 %).
        min_uploads_per_key: Fewest uploads at the same moment (the same section).
        uploads_per_key: Uploads at the same moment until those times are known.
        max_uploads_per_key: Most uploads at the same moment.
        look_ahead_per_key: Sources that are opened and counted beyond those in flight, so that the
            longest can start first, where ``convert_many`` may answer in any order. In simulations
            of 200 PDFs (tests/test_scheduling.py) 32 for each key come within 1 % of the bound with
            one key, where 0 come within 4 %. Remote sources wait as copies in the temporary folder.
        max_file_bytes: API page, "文件限制": 300 MB, and its example has 314572800.
        max_pages: The same section.
        max_image_bytes: Largest PNG or JPEG picture; None if the service takes none.
        max_source_bytes: Largest PDF that is cut into parts; bounds the disk that a copy takes.
        retention_s: Results are kept for 7 days, the same page, "数据保留".
        max_answer_bytes: Longest answer to a poll that carries the result itself, as Doc2X's do:
            2,000 pages of 32 kB.
        max_download_bytes: A result larger than this is not fetched (the vendor's own client stops
            at 2 GiB; wire notes 3.2).
    """

    in_flight_per_key: int = 5
    max_in_flight_per_key: int = 12
    min_uploads_per_key: int = 2
    uploads_per_key: int = 3
    max_uploads_per_key: int = 4
    look_ahead_per_key: int = 32
    max_file_bytes: int = 300 * MIB
    max_pages: int = 800
    max_image_bytes: int | None = None
    max_source_bytes: int = 4096 * MIB
    retention_s: float = 7 * 86400.0
    max_answer_bytes: int = 64 * MIB
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
        call_s: One attempt of a poll or a balance.
        control_s: A poll or a balance over all its attempts and pauses: one ``Retry-After`` of the
            longest that is waited for, and attempts around it.
        upload_s: One attempt of an upload up to its last piece, without its size. From there on
            ``upload_read_s`` and ``call_s`` bound the answer: it may name a task that is paid for.
        upload_bytes_per_s: Slowest link that is waited for; adds ``size / this`` to ``upload_s``.
        download_s: A download over all its attempts: 2 GiB at 300 kB/s.
        download_bytes_per_s: A download slower than this over ``download_window_s`` is given up.
        download_window_s: See above.
    """

    connect_s: float = 10.0
    write_s: float = 60.0
    read_s: float = 20.0
    upload_read_s: float = 180.0
    call_s: float = 30.0
    control_s: float = 180.0
    upload_s: float = 300.0
    upload_bytes_per_s: float = 50_000.0
    download_s: float = 7200.0
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """How much the store may keep. Unfinished and doubtful work is never removed.

    Attributes:
        max_bytes: Size of all results; None for no limit.
        max_age_s: Age of a result; None for no limit.
    """

    max_bytes: int | None = None
    max_age_s: float | None = None
