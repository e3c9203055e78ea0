from __future__ import annotations

import math
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.errors import AuthenticationError
from zhiyipdf.models import Secret
from zhiyipdf.policy import CircuitBreak, RetryBudget
from zhiyipdf.transport.health import Admission, Circuit, Refusals, TokenBucket

KEY = Secret("sk-very-secret-key")
GO = Admission()


@pytest.mark.parametrize(
    ("events", "tokens"),
    [
        ("", 50),
        ("+", 50),
        ("-", 45),
        ("-+", 46),
        ("----------", 0),
        ("-----------", 0),
        ("----------++++", 4),
        ("----------++++-", 4),
        ("----------+++++-", 0),
    ],
)
def test_repetitions_cost_five_tokens_and_answers_give_one(events: str, tokens: int) -> None:
    bucket = TokenBucket(RetryBudget())
    for event in events:
        if event == "+":
            bucket.give()
        else:
            bucket.take()
    assert bucket.tokens == tokens


@given(st.lists(st.booleans(), max_size=200))
def test_no_more_is_taken_than_was_there(answers: list[bool]) -> None:
    bucket, taken = TokenBucket(RetryBudget()), 0
    for answer in answers:
        if answer:
            bucket.give()
        else:
            taken += bucket.take()
        assert 0 <= bucket.tokens <= 50
    assert 5 * taken <= 50 + sum(answers)


def circuit_after(failures: int, *, at: float = 0.0) -> Circuit:
    circuit = Circuit(CircuitBreak())
    for _ in range(failures):
        circuit.leave(circuit.admit(at), "failed", at)
    return circuit


@pytest.mark.parametrize(
    ("failures", "now", "expected"),
    [
        (0, 0.0, GO),
        (4, 0.0, GO),
        (5, 0.0, Admission(wait_s=10.0)),
        (5, 4.0, Admission(wait_s=6.0)),
        (5, 10.0, Admission(probe=True)),
        (5, 99.0, Admission(probe=True)),
    ],
)
def test_five_failures_in_a_row_open_the_circuit_for_ten_seconds(
    failures: int, now: float, expected: Admission
) -> None:
    assert circuit_after(failures).admit(now) == expected


def test_an_answer_in_between_starts_the_count_anew() -> None:
    circuit = circuit_after(4)
    circuit.leave(circuit.admit(0.0), "answered", 0.0)
    for _ in range(4):
        circuit.leave(circuit.admit(0.0), "failed", 0.0)
    assert circuit.admit(0.0) == GO


def test_a_call_that_was_given_up_proves_nothing() -> None:
    circuit = circuit_after(4)
    circuit.leave(circuit.admit(0.0), "unknown", 0.0)
    assert circuit.admit(0.0) == GO
    circuit.leave(GO, "failed", 0.0)
    assert circuit.admit(0.0) == Admission(wait_s=10.0)


def test_one_call_probes_and_the_others_wait_for_its_outcome() -> None:
    circuit = circuit_after(5)
    probe = circuit.admit(10.0)
    assert circuit.admit(10.0) == Admission(wait_s=math.inf)
    circuit.leave(probe, "failed", 12.0)
    assert circuit.admit(12.0) == Admission(wait_s=10.0)
    circuit.leave(circuit.admit(22.0), "answered", 22.0)
    assert circuit.admit(22.0) == circuit.admit(22.0) == GO


def test_a_probe_that_was_cancelled_leaves_its_place_to_the_next() -> None:
    circuit = circuit_after(5)
    circuit.leave(circuit.admit(10.0), "unknown", 10.5)
    assert circuit.admit(10.5) == Admission(probe=True)


def test_failures_of_calls_that_were_under_way_do_not_keep_the_circuit_open_longer() -> None:
    circuit = circuit_after(5)
    circuit.leave(GO, "failed", 9.0)
    assert circuit.admit(10.0) == Admission(probe=True)


def test_an_answer_to_a_call_that_was_under_way_closes_the_circuit() -> None:
    circuit = circuit_after(5)
    circuit.leave(GO, "answered", 1.0)
    assert circuit.admit(1.0) == GO


def test_a_wait_is_not_rounded_up_beyond_the_policy() -> None:
    policy = CircuitBreak(failures=1)
    circuit, now = Circuit(policy), 1.8428237916784305 + 1.0186879331435357 + 19.210510422944576
    assert now + policy.open_s - now > policy.open_s
    circuit.leave(circuit.admit(now), "failed", now)
    assert circuit.admit(now).wait_s == policy.open_s


@given(st.lists(st.tuples(st.sampled_from(["answered", "failed", "unknown"]), st.floats(0, 20))))
def test_there_is_never_more_than_one_probe_and_never_a_wait_beyond_the_policy(
    events: list[tuple[str, float]],
) -> None:
    circuit, now = Circuit(CircuitBreak()), 0.0
    for verdict, seconds in events:
        now += seconds
        admission = circuit.admit(now)
        if admission.probe:
            assert circuit.admit(now).wait_s == math.inf
        assert admission.wait_s <= 10.0
        if admission.wait_s == 0:
            circuit.leave(admission, verdict, now)  # type: ignore[arg-type]  # sampled


def test_a_refused_key_is_remembered_on_every_thread_and_not_shown() -> None:
    refusals = Refusals()
    assert refusals.error(KEY) is None
    thread = threading.Thread(target=refusals.add, args=(KEY,))
    thread.start()
    thread.join()
    error = refusals.error(KEY)
    assert isinstance(error, AuthenticationError)
    assert refusals.error(KEY) is not error
    assert refusals.error(Secret("sk-other")) is None
    assert KEY.value not in str(error) + repr(error)
    assert KEY.value.encode() not in pickle.dumps(error)
