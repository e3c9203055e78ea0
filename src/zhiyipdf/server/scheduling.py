"""Pure decisions: which tasks enter process, which of them gets a worker, who stands where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["Place", "Ticket", "admit", "pick", "place_of"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A task as the queue sees it.

    Attributes:
        id: The task.
        key: Whose it is; the limit of tasks in process is per key.
        seq: Order of arrival over all keys.
        in_process: True in process, False waiting.
    """

    id: str
    key: int
    seq: int
    in_process: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting task stands.

    Attributes:
        position: Its place among its key's waiting tasks, from 1.
        ahead: Its key's tasks before it, those in process included.
    """

    position: int
    ahead: int


def admit(tickets: Sequence[Ticket], *, per_key: int) -> list[str]:
    """Choose the waiting tasks that enter process: first come, first served within a key.

    Args:
        tickets: All live tasks, in any order.
        per_key: Tasks of one key in process at the same time.

    Returns:
        Their ids, in order of arrival.
    """
    busy = Counter(ticket.key for ticket in tickets if ticket.in_process)
    chosen = []
    for ticket in sorted(tickets, key=lambda ticket: ticket.seq):
        if not ticket.in_process and busy[ticket.key] < per_key:
            busy[ticket.key] += 1
            chosen.append(ticket.id)
    return chosen


def pick(
    tickets: Sequence[Ticket],
    *,
    running: Collection[str],
    served: Mapping[int, int] = MappingProxyType({}),
) -> str | None:
    """Choose the task in process that gets the next free worker.

    Workers may be fewer than tasks in process. The key with the fewest running tasks comes first,
    then the one that has waited longest for its turn, so that a busy key cannot starve another;
    within a key the oldest task.

    Args:
        tickets: All live tasks.
        running: Those that have a worker.
        served: When each key last got a worker, as a count that grows; keys that never did are
            missing.

    Returns:
        A task, or None if all in process are running.
    """
    busy = Counter(ticket.key for ticket in tickets if ticket.id in running)
    ready = [ticket for ticket in tickets if ticket.in_process and ticket.id not in running]
    if not ready:
        return None

    def turn(ticket: Ticket) -> tuple[int, int, int]:
        return busy[ticket.key], served.get(ticket.key, -1), ticket.seq

    return min(ready, key=turn).id


def place_of(tickets: Sequence[Ticket], task_id: str) -> Place | None:
    """Where a task waits; None if it does not."""
    own = next((t for t in tickets if t.id == task_id and not t.in_process), None)
    if own is None:
        return None
    same_key = [t for t in tickets if t.key == own.key]
    waiting = sum(not t.in_process and t.seq < own.seq for t in same_key)
    processing = sum(t.in_process for t in same_key)
    return Place(position=waiting + 1, ahead=processing + waiting)
