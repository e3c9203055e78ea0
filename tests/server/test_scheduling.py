from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.scheduling import Ticket, admit, pick, place_of


@st.composite
def _tickets(draw: st.DrawFn) -> list[Ticket]:
    number = draw(st.integers(0, 20))
    tickets = []
    busy: Counter[int] = Counter()
    for seq in range(number):
        key = draw(st.integers(0, 3))
        in_process = busy[key] < 3 and draw(st.booleans())
        busy[key] += in_process
        tickets.append(Ticket(str(seq), key, seq, in_process))
    return draw(st.permutations(tickets))


@given(_tickets())
def test_admission_fills_every_key_up_to_its_limit_and_no_further(tickets: list[Ticket]) -> None:
    admitted = set(admit(tickets, per_key=3))
    for key in {ticket.key for ticket in tickets}:
        own = [ticket for ticket in tickets if ticket.key == key]
        in_process = sum(ticket.in_process or ticket.id in admitted for ticket in own)
        assert in_process == min(3, len(own))


@given(_tickets())
def test_nobody_overtakes_within_a_key(tickets: list[Ticket]) -> None:
    admitted = set(admit(tickets, per_key=3))
    for key in {ticket.key for ticket in tickets}:
        waiting = sorted(t.seq for t in tickets if t.key == key and not t.in_process)
        entered = sorted(t.seq for t in tickets if t.key == key and t.id in admitted)
        assert entered == waiting[: len(entered)]


@given(_tickets())
def test_only_tasks_in_process_get_a_worker_and_each_gets_one(tickets: list[Ticket]) -> None:
    running: set[str] = set()
    while (chosen := pick(tickets, running=running)) is not None:
        assert chosen not in running
        running.add(chosen)
    assert running == {ticket.id for ticket in tickets if ticket.in_process}


def test_a_busy_key_does_not_starve_another() -> None:
    tickets = [Ticket("a1", 1, 1, True), Ticket("a2", 1, 2, True), Ticket("b", 2, 3, True)]
    assert pick(tickets, running={"a1"}) == "b"
    assert pick(tickets[1:], running=(), served={1: 7}) == "b"
    assert pick(tickets[1:], running=(), served={1: 7, 2: 8}) == "a2"


@given(_tickets())
def test_places_count_from_one_and_name_all_before(tickets: list[Ticket]) -> None:
    for ticket in tickets:
        place = place_of(tickets, ticket.id)
        if ticket.in_process:
            assert place is None
            continue
        own = [other for other in tickets if other.key == ticket.key]
        before = sum(not other.in_process and other.seq < ticket.seq for other in own)
        assert place is not None
        assert place.position == before + 1
        assert place.ahead == before + sum(other.in_process for other in own)


def test_a_task_that_ended_has_no_place() -> None:
    assert place_of([], "gone") is None
