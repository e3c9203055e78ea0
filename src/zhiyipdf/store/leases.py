"""Leases: who may upload a piece of work right now, over threads, processes and machines."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zhiyipdf.clock import Clock
from zhiyipdf.store.files import Files

__all__ = ["Lease", "Leases"]

log = logging.getLogger(__name__)

BEAT_S = 5.0
"""Seconds between two signs of life of a holder."""

SILENCE_S = 30.0
"""Seconds without one after which a holder counts as dead. They are measured by whoever waits, on
its own clock, so that wrong clocks do no harm."""

LOOK_S = 0.5
"""Seconds between two looks of one who waits."""

CONFIRM_S = 0.2
"""Seconds before a new holder looks again, where the file system cannot create exclusively."""


@dataclass(slots=True, kw_only=True)
class Lease:
    """A lease that is held.

    Attributes:
        name: What for.
        token: Tells this holder from all others.
        lost: Set when somebody else was seen to have taken over.
    """

    name: str
    token: str
    lost: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)


class Leases:
    """Leases in a folder on any fsspec filesystem. Blocking: call it from a worker thread.

    A lease is a small file that its holder rewrites every few seconds. Whoever finds one waits
    until it is gone, or has been silent for too long, or its process is known to be dead.

    Args:
        files: The store's folder.
        clock: Time, for those who wait.
    """

    def __init__(self, files: Files, clock: Clock) -> None:
        self._files = files
        self._clock = clock

    @contextmanager
    def hold(self, name: str, *, given_up: threading.Event | None = None) -> Iterator[Lease]:
        """Wait for a lease, keep it alive, and give it back.

        Args:
            name: What for; a file name without folders.
            given_up: Set by another thread when nobody wants the lease any more.

        Raises:
            InterruptedError: ``given_up`` was set while it waited.
            OSError: The store cannot be written.
        """
        lease = self._take(name, given_up or threading.Event())
        beat = threading.Thread(
            target=self._keep_alive, args=(lease,), name="zhiyipdf-lease", daemon=True
        )
        beat.start()
        try:
            yield lease
        finally:
            lease._stop.set()  # noqa: SLF001 - the two belong together
            beat.join()
            self._give_back(lease)

    def is_held(self, lease: Lease) -> bool:
        """Whether a lease is still ours: a process that was stopped for long may have lost it."""
        if not lease.lost.is_set():
            holder = self._read(lease.name)
            if holder is None or holder.get("token") != lease.token:
                lease.lost.set()
        return not lease.lost.is_set()

    def _take(self, name: str, given_up: threading.Event) -> Lease:
        lease = Lease(name=name, token=uuid.uuid4().hex)
        seen: dict[str, Any] | None = None
        since = self._clock.monotonic()
        while not given_up.is_set():
            if self._create(lease):
                return lease
            holder = self._read(name)
            now = self._clock.monotonic()
            if holder != seen:
                seen, since = holder, now
            elif holder is not None and (now - since > SILENCE_S or _is_dead(holder)):
                if self._take_over(lease, holder):
                    return lease
                seen = None
                continue
            given_up.wait(LOOK_S)
        raise InterruptedError(f"gave up waiting for {name}")

    def _take_over(self, lease: Lease, dead: dict[str, Any]) -> bool:
        """Write our lease over a dead holder's; of several who do so, the last one has it."""
        if self._read(lease.name) != dead:
            return False
        log.warning("the holder of %s is gone; taking over", lease.name[:12])
        return self._write_and_confirm(lease)

    def _create(self, lease: Lease) -> bool:
        exclusive = self._files.create(_file(lease.name), _content(lease, 0))
        if exclusive is not None:
            return exclusive
        # This filesystem cannot say who was first: look again after a moment, the last one wins.
        if self._read(lease.name) is not None:
            return False
        return self._write_and_confirm(lease)

    def _write_and_confirm(self, lease: Lease) -> bool:
        self._files.publish(_file(lease.name), _content(lease, 0), private=True)
        self._clock.pause(CONFIRM_S)
        holder = self._read(lease.name)
        return holder is not None and holder.get("token") == lease.token

    def _read(self, name: str) -> dict[str, Any] | None:
        content = self._files.read(_file(name))
        if content is None:
            return None
        try:
            holder = json.loads(content)
        except ValueError:
            return {}
        return holder if isinstance(holder, dict) else {}

    def _keep_alive(self, lease: Lease) -> None:
        beats = 0
        while not lease._stop.wait(BEAT_S):  # noqa: SLF001 - the two belong together
            beats += 1
            try:
                if not self.is_held(lease):
                    log.warning("the lease %s was taken over", lease.name[:12])
                    return
                self._files.publish(_file(lease.name), _content(lease, beats), private=True)
            except Exception as error:  # noqa: BLE001 - object stores raise errors of their own
                log.warning("a sign of life could not be written: %s", error)

    def _give_back(self, lease: Lease) -> None:
        try:
            holder = self._read(lease.name)
            if holder is not None and holder.get("token") == lease.token:
                self._files.remove(_file(lease.name))
        except Exception as error:  # noqa: BLE001 - the same
            log.warning("a lease could not be given back: %s", error)


def _file(name: str) -> str:
    return f"claims/{name[:2]}/{name}.lease"


def _content(lease: Lease, beats: int) -> bytes:
    holder = {
        "token": lease.token,
        "beats": beats,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
        "world": _world(),
    }
    return json.dumps(holder).encode()


def _is_dead(holder: dict[str, Any]) -> bool:
    """Whether a holder on this machine is known to have ended; others only fall silent."""
    pid = holder.get("pid")
    here = holder.get("host") == socket.gethostname() and holder.get("world") == _world()
    if not here or not isinstance(pid, int) or os.name == "nt":  # there, kill(pid, 0) is Ctrl-C
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return holder.get("started") != _started(pid)


def _started(pid: int) -> str | None:
    """When a process began, so that a new one with an old number is not taken for it (Linux)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - proc(5)
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _world() -> list[str] | None:
    """Which boot and which namespace of process numbers: containers share host names (Linux)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return [boot, str(Path("/proc/self/ns/pid").readlink())]
    except OSError:
        return None
