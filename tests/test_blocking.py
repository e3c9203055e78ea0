from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import signal
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar

import pytest

from support.scripts import PATIENCE_S, run_script, running
from zhiyipdf import blocking
from zhiyipdf.blocking import LoopThread
from zhiyipdf.blocking import work as work_module

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and fork are POSIX's")


@pytest.fixture
def loop_thread() -> Iterator[LoopThread]:
    with LoopThread("test-loop") as thread:
        yield thread


async def _count(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number


# --- run -----------------------------------------------------------------------------------------


def test_run_returns_what_the_work_returns() -> None:
    async def work() -> tuple[str, int]:
        await asyncio.sleep(0)
        return threading.current_thread().name, threading.get_ident()

    name, ident = blocking.run(work())

    assert name == "zhiyipdf-loop"
    assert ident != threading.get_ident()


def test_every_call_of_a_process_runs_on_the_same_loop() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    loops = {blocking.run(loop()) for _ in range(3)}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        loops |= set(pool.map(lambda _: blocking.run(loop()), range(8)))

    assert len(loops) == 1


def test_run_raises_what_the_work_raises() -> None:
    error = LookupError("lost")

    async def work() -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        blocking.run(work())
    assert caught.value is error


@pytest.mark.parametrize("error", [TimeoutError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_error_of_the_work_is_not_mistaken_for_one_of_the_wait(
    error: type[BaseException], loop_thread: LoopThread
) -> None:
    async def work() -> None:
        raise error("of the work")

    with pytest.raises(error, match="of the work"):
        loop_thread.run(work())


def test_the_loop_outlives_work_that_exits(loop_thread: LoopThread) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    async def stay() -> int:
        async with asyncio.TaskGroup() as group:
            group.create_task(leave())
        return 1

    async def fine() -> int:
        return 2

    with pytest.raises(SystemExit):
        loop_thread.run(stay())
    assert loop_thread.run(fine()) == 2


def test_cancelled_work_raises_and_does_not_return_none(loop_thread: LoopThread) -> None:
    async def work() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)
        return "not reached"

    with pytest.raises(concurrent.futures.CancelledError):
        loop_thread.run(work())


def test_context_variables_reach_the_work_and_do_not_come_back(loop_thread: LoopThread) -> None:
    tenant: ContextVar[str] = ContextVar("tenant", default="none")

    async def work() -> str:
        seen = tenant.get()
        tenant.set("changed by the work")
        return await asyncio.to_thread(lambda: f"{seen}, {tenant.get()}")

    async def stream() -> AsyncIterator[str]:
        yield tenant.get()

    tenant.set("library")

    assert loop_thread.run(work()) == "library, changed by the work"
    assert list(loop_thread.iterate(stream)) == ["library"]
    assert tenant.get() == "library"


def test_a_call_on_the_loop_thread_is_refused_and_names_the_async_twin() -> None:
    never_run: list[str] = []

    async def aconvert() -> None:
        never_run.append("ran")

    async def work() -> bool:
        coro = aconvert()
        with pytest.raises(RuntimeError, match=r"aconvert.*await"):
            blocking.run(coro)
        # A closed coroutine: no "was never awaited" warning, and it cannot be used again.
        with pytest.raises(RuntimeError, match="cannot reuse"):
            coro.send(None)
        with pytest.raises(RuntimeError, match="_count"):
            next(blocking.iterate(_count(3)))
        return blocking.in_loop_thread()

    assert blocking.run(work())
    assert not blocking.in_loop_thread()
    assert never_run == []


async def test_a_call_inside_a_running_loop_works() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert blocking.run(work()) == 7
    assert list(blocking.iterate(lambda: _count(3))) == [0, 1, 2]


def test_work_that_cannot_start_is_closed_unrun() -> None:
    loop_thread = LoopThread("closed")
    loop_thread.close()
    refused = asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="is closed"):
        loop_thread.submit(refused)
    with pytest.raises(RuntimeError, match="cannot reuse"):
        refused.send(None)


def test_blocking_calls_of_the_work_run_side_by_side_and_raise_their_errors(
    loop_thread: LoopThread,
) -> None:
    together = threading.Barrier(20)

    def meet() -> int:
        return together.wait(PATIENCE_S)

    def fail() -> None:
        raise LookupError("in a thread")

    async def work() -> list[int]:
        return await asyncio.gather(*(asyncio.to_thread(meet) for _ in range(20)))

    assert sorted(loop_thread.run(work())) == list(range(20))
    assert sorted(loop_thread.run(work())) == list(range(20))
    with pytest.raises(LookupError, match="in a thread"):
        loop_thread.run(asyncio.to_thread(fail))


def test_only_a_coroutine_can_be_run(loop_thread: LoopThread) -> None:
    with pytest.raises(TypeError, match="coroutine"):
        loop_thread.run(3)  # type: ignore[arg-type]


def test_an_error_leaves_no_reference_cycle_behind(loop_thread: LoopThread) -> None:
    class Large:
        pass

    large = Large()
    gone = weakref.ref(large)

    async def work(held: Large) -> None:
        raise LookupError(held)

    gc.disable()
    try:
        with contextlib.suppress(LookupError):
            loop_thread.run(work(large))
        del large
        loop_thread.run(asyncio.sleep(0))  # the loop has let go of the task
        assert gone() is None
    finally:
        gc.enable()


# --- iterate -------------------------------------------------------------------------------------


@pytest.mark.parametrize("buffer", [1, 2, 50])
def test_iterate_yields_every_item_in_order(buffer: int) -> None:
    assert list(blocking.iterate(lambda: _count(20), buffer=buffer)) == list(range(20))
    assert list(blocking.iterate(_count(20), buffer=buffer)) == list(range(20))


def test_iterate_takes_iterators_that_are_no_generators(loop_thread: LoopThread) -> None:
    class Countdown:
        left = 3

        def __aiter__(self) -> Countdown:
            return self

        async def __anext__(self) -> int:
            if self.left == 0:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    assert list(loop_thread.iterate(Countdown())) == [2, 1, 0]
    for first in loop_thread.iterate(Countdown(), buffer=1):
        assert first == 2
        break


def test_a_buffer_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        blocking.iterate(_count(1), buffer=0)


def test_nothing_starts_before_the_first_next(loop_thread: LoopThread) -> None:
    started = threading.Event()

    async def stream() -> AsyncIterator[int]:
        started.set()
        yield 1

    items = loop_thread.iterate(stream)
    loop_thread.run(asyncio.sleep(0))
    assert not started.is_set()

    assert next(items) == 1
    assert started.is_set()
    items.close()


def test_one_task_drives_the_stream_from_first_item_to_last(loop_thread: LoopThread) -> None:
    drivers: set[asyncio.Task[object] | None] = set()

    async def stream() -> AsyncIterator[int]:
        try:
            for number in range(5):
                drivers.add(asyncio.current_task())
                yield number
        finally:
            drivers.add(asyncio.current_task())

    for number in loop_thread.iterate(stream, buffer=1):
        if number == 3:
            break
    assert len(drivers) == 1


@pytest.mark.parametrize("buffer", [1, 3])
def test_never_more_items_are_made_ahead_than_the_buffer_holds(
    buffer: int, loop_thread: LoopThread
) -> None:
    made = 0
    most_ahead = 0

    async def stream() -> AsyncIterator[int]:
        nonlocal made
        for number in range(30):
            made += 1
            yield number

    async def let_the_pump_run() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    for taken, _ in enumerate(loop_thread.iterate(stream, buffer=buffer), start=1):
        loop_thread.run(let_the_pump_run())
        most_ahead = max(most_ahead, made - taken)
    assert most_ahead == buffer


def test_an_early_break_cancels_the_rest_and_waits_for_its_clean_up(
    loop_thread: LoopThread,
) -> None:
    story: list[str] = []

    async def conversion(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # a record being flushed
            story.append(f"cleaned up {number}")

    async def stream() -> AsyncIterator[str]:
        others = [asyncio.create_task(conversion(n)) for n in range(3)]
        try:
            yield "first"
            await asyncio.gather(*others)
        finally:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    for item in loop_thread.iterate(stream):
        story.append(item)
        break
    # Only the collector's whim could make this wait for anything: the loop has been left.
    assert story == ["first", "cleaned up 0", "cleaned up 1", "cleaned up 2"]


def test_an_error_in_the_loop_body_cancels_the_rest(loop_thread: LoopThread) -> None:
    cleaned_up = threading.Event()

    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            cleaned_up.set()

    def consume(items: Iterator[int]) -> None:
        for item in items:
            1 // (item - 1)

    items = loop_thread.iterate(stream)
    with pytest.raises(ZeroDivisionError):
        consume(items)
    items.close()
    assert cleaned_up.is_set()


def test_an_error_of_the_stream_comes_after_the_items_before_it(loop_thread: LoopThread) -> None:
    async def stream() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise TimeoutError("third")

    items = loop_thread.iterate(stream, buffer=10)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(TimeoutError, match="third"):
        next(items)
    assert list(items) == []


def test_a_failed_child_of_a_task_group_held_across_yields_ends_the_iteration(
    loop_thread: LoopThread,
) -> None:
    async def fail(when: asyncio.Event) -> None:
        await when.wait()
        raise LookupError("the third of four")

    async def stream() -> AsyncIterator[int]:
        failing = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(failing))
            for number in range(100):
                yield number  # noqa: ASYNC119 - the very thing under test
                if number == 2:
                    failing.set()

    seen: list[int] = []
    with pytest.raises(ExceptionGroup) as caught:
        seen.extend(loop_thread.iterate(stream, buffer=1))
    assert caught.group_contains(LookupError)


def test_a_stream_that_fails_while_it_is_left_is_logged(
    loop_thread: LoopThread, caplog: pytest.LogCaptureFixture
) -> None:
    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            raise LookupError("no store to write to")

    for _ in loop_thread.iterate(stream, buffer=1):
        break
    assert "failed while it was cancelled" in caplog.text
    assert "no store to write to" in caplog.text


def test_an_iterator_collected_on_the_loop_thread_does_not_wait_for_itself(
    loop_thread: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_module, "CLEAN_UP_S", 3600.0)
    cleaned_up = threading.Event()

    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            cleaned_up.set()

    items = [loop_thread.iterate(stream)]
    assert next(items[0]) == 1

    async def forget() -> None:
        items.clear()

    loop_thread.submit(forget()).result(PATIENCE_S)
    assert cleaned_up.wait(PATIENCE_S)


# --- submit and close ----------------------------------------------------------------------------


def test_a_submitted_coroutine_runs_beside_its_caller(loop_thread: LoopThread) -> None:
    async def work() -> int:
        return 5

    assert loop_thread.submit(work()).result(PATIENCE_S) == 5


def test_a_cancelled_submission_is_done_only_when_it_has_cleaned_up(
    loop_thread: LoopThread,
) -> None:
    started, cleaning, flushed = threading.Event(), threading.Event(), threading.Event()
    story: list[str] = []

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            await asyncio.to_thread(flushed.wait)
            story.append("cleaned up")

    future = loop_thread.submit(work())
    assert started.wait(PATIENCE_S)
    assert future.cancel()
    assert cleaning.wait(PATIENCE_S)
    assert not future.done()
    assert future.cancel(), "asking twice must not cut the clean-up short"
    loop_thread.run(asyncio.sleep(0))
    assert not future.done()
    flushed.set()
    concurrent.futures.wait([future], PATIENCE_S)

    assert story == ["cleaned up"]
    assert future.cancelled()
    assert not future.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result()


def test_work_may_submit_more_work_to_its_own_loop(loop_thread: LoopThread) -> None:
    async def inner() -> int:
        return 3

    async def outer() -> int:
        return await asyncio.wrap_future(loop_thread.submit(inner()))

    assert loop_thread.run(outer()) == 3


def test_closing_cancels_what_runs_and_ends_the_thread() -> None:
    loop_thread = LoopThread("short-lived")
    started = threading.Event()
    story: list[str] = []

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            story.append("cleaned up")

    future = loop_thread.submit(work())
    assert started.wait(PATIENCE_S)
    loop_thread.close()
    loop_thread.close()

    assert story == ["cleaned up"]
    assert future.cancelled()
    assert "short-lived" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError, match="is closed"):
        loop_thread.run(work())


def test_closing_does_not_cut_short_a_clean_up_that_has_begun() -> None:
    loop_thread = LoopThread("closing")
    started, cleaning, flushed = threading.Event(), threading.Event(), threading.Event()
    story: list[str] = []

    async def flush() -> None:
        cleaning.set()
        try:
            await asyncio.to_thread(flushed.wait)
        except asyncio.CancelledError:
            story.append("cut short")

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await flush()

    async def bystander() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            flushed.set()  # only closing cancels this one, after it has come to the other

    future = loop_thread.submit(work())
    loop_thread.submit(bystander())
    assert started.wait(PATIENCE_S)
    future.cancel()
    assert cleaning.wait(PATIENCE_S)
    loop_thread.close()

    assert story == []


def test_closing_one_that_never_started_starts_no_thread() -> None:
    LoopThread("never-started").close()

    assert "never-started" not in {thread.name for thread in threading.enumerate()}


def test_a_loop_thread_cannot_close_itself(loop_thread: LoopThread) -> None:
    async def work() -> None:
        loop_thread.close()

    with pytest.raises(RuntimeError, match="cannot close itself"):
        loop_thread.run(work())


def test_work_on_a_loop_that_somebody_stops_fails_and_the_next_call_gets_a_new_loop(
    loop_thread: LoopThread,
) -> None:
    async def vandal() -> None:
        asyncio.get_running_loop().stop()
        await asyncio.Event().wait()

    async def fine() -> int:
        return 2

    with pytest.raises(RuntimeError, match="the event loop ended"):
        loop_thread.submit(vandal()).result(PATIENCE_S)
    gc.collect()
    assert loop_thread.run(fine()) == 2


def test_work_that_ignores_its_cancellation_is_left_alone(
    loop_thread: LoopThread, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_module, "CLEAN_UP_S", 0.0)
    go = threading.Event()

    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(go.wait)

    for _ in loop_thread.iterate(stream, buffer=1):
        break
    assert "still cleans up" in caplog.text
    go.set()


# --- processes: Ctrl-C ---------------------------------------------------------------------------

SIGNALLED_WORK = """
    import asyncio, signal, sys, threading
    from zhiyipdf import blocking
    from zhiyipdf.blocking import loop as loop_module

    async def work():
        print("started", flush=True)
        try:
            await asyncio.Event().wait()
            print("ORPHAN", flush=True)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)   # an await in the clean-up, as when a record is flushed
            print("cleaned up", flush=True)
            raise

    async def stream():
        yield 0
        await work()
"""

CALLS = {
    "run": "blocking.run(work())",
    "iterate": "list(blocking.iterate(stream))",
    "run inside a running loop": "asyncio.run(inside())",
    "iterate inside a running loop": "asyncio.run(inside_stream())",
}


@posix
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_ctrl_c_cancels_the_work_waits_for_its_clean_up_and_then_raises(call: str) -> None:
    source = f"""{SIGNALLED_WORK}
    async def inside():
        blocking.run(work())

    async def inside_stream():
        list(blocking.iterate(stream))

    try:
        {call}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
    with running(source) as (process, output):
        assert output.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        rest, errors = output.read(), process.stderr
        assert rest == "cleaned up\ninterrupted\n", errors.read() if errors else ""
        assert process.wait(PATIENCE_S) == 0


@posix
def test_an_exit_from_a_signal_handler_cleans_up_too() -> None:
    source = f"""{SIGNALLED_WORK}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    blocking.run(work())
    """
    with running(source) as (process, output):
        assert output.readline() == "started\n"
        process.send_signal(signal.SIGTERM)
        assert output.read() == "cleaned up\n"
        assert process.wait(PATIENCE_S) == 143


@posix
def test_a_second_ctrl_c_does_not_wait_for_the_clean_up() -> None:
    source = """
    import asyncio
    from zhiyipdf import blocking
    from zhiyipdf.blocking import loop as loop_module

    async def work():
        print("started", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            print("cleaning up", flush=True)
            await asyncio.Event().wait()

    try:
        blocking.run(work())
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
    with running(source) as (process, output):
        assert output.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        assert output.readline() == "cleaning up\n"
        process.send_signal(signal.SIGINT)
        assert output.read() == "interrupted\n"
        assert process.wait(PATIENCE_S) == 0


@posix
def test_the_loop_serves_the_next_call_after_a_ctrl_c() -> None:
    source = f"""{SIGNALLED_WORK}
    async def fine():
        return "fine"

    async def few():
        yield 1

    try:
        blocking.run(work())
    except KeyboardInterrupt:
        print(blocking.run(fine()), list(blocking.iterate(few)), flush=True)
    """
    with running(source) as (process, output):
        assert output.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        assert output.read() == "cleaned up\nfine [1]\n"


# --- processes: fork -----------------------------------------------------------------------------


@posix
def test_a_forked_child_gets_a_fresh_loop_thread_and_lock() -> None:
    run_script("""
    import asyncio, os, sys, threading, warnings
    from zhiyipdf import blocking
    from zhiyipdf.blocking import loop as loop_module

    warnings.simplefilter("ignore", DeprecationWarning)   # 3.12 warns of forks beside threads

    async def loop():
        return id(asyncio.get_running_loop()), threading.get_native_id()

    parents = blocking.run(loop())
    started = threading.Event()

    async def endless():
        started.set()
        await asyncio.Event().wait()

    in_flight = loop_module._process_loop.submit(endless())
    started.wait()
    loop_module._process_loop._lock.acquire()  # as if a thread were in the middle of a call
    child = os.fork()
    if child == 0:
        mine = blocking.run(loop())
        again = blocking.run(loop())
        fresh = mine == again and mine[0] != parents[0] and mine[1] != parents[1]
        sys.exit(0 if fresh else 9)             # an ordinary exit, which must not hang either
    loop_module._process_loop._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert blocking.run(loop()) == parents, "the parent's loop goes on"
    """)


@posix
def test_an_iteration_carried_over_a_fork_fails_in_the_child_and_goes_on_in_the_parent() -> None:
    run_script("""
    import os, sys, warnings
    from zhiyipdf import blocking
    from zhiyipdf.blocking import loop as loop_module, work

    warnings.simplefilter("ignore", DeprecationWarning)
    work.CLEAN_UP_S = 3600.0     # waiting for the parent's work from the child must not go unseen

    async def stream():
        for number in range(50):
            yield number

    items = blocking.iterate(stream, buffer=1)
    assert next(items) == 0
    child = os.fork()
    if child == 0:
        try:
            next(items)
        except RuntimeError as error:
            sys.exit(0 if "fork" in str(error) else 8)
        sys.exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    child = os.fork()
    if child == 0:
        del items                                # closing must not cancel the parent's work
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list(items) == list(range(1, 50))
    """)


@posix
def test_work_that_forks_leaves_a_usable_child() -> None:
    run_script("""
    import asyncio, os, sys, warnings
    from zhiyipdf import blocking
    from zhiyipdf.blocking import loop as loop_module

    warnings.simplefilter("ignore", DeprecationWarning)

    async def three():
        return 3

    async def fork():
        child = os.fork()
        if child == 0:
            os._exit(0 if blocking.run(three()) == 3 else 9)
        return child

    child = blocking.run(fork())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """)


# --- processes: exit -----------------------------------------------------------------------------

EXITS = {
    "nothing in flight": "blocking.run(asyncio.sleep(0))",
    "work in flight": "loop_module._process_loop.submit(endless()); started.wait()",
    "a worker thread in flight": "loop_module._process_loop.submit(stuck()); started.wait()",
    "a daemon thread waiting": (
        "threading.Thread(target=lambda: blocking.run(endless()), daemon=True).start();"
        " started.wait()"
    ),
    "a forgotten iterator": "forgotten = blocking.iterate(stream); next(forgotten)",
    # A stream of the program's own keeps the program's globals alive; one of a library does not,
    # and then the iterator is collected while the interpreter shuts down.
    "a forgotten iterator of a library": (
        "elsewhere = {'asyncio': asyncio}; exec(library, elsewhere);"
        " forgotten = blocking.iterate(elsewhere.pop('stream')); next(forgotten)"
    ),
    "an iterator in a cycle": (
        "cycle = [blocking.iterate(stream)]; next(cycle[0]); cycle.append(cycle)"
    ),
    "a call at exit": "atexit.register(lambda: blocking.run(asyncio.sleep(0)))",
    "a call from a finaliser": "late = Late()",
}


@pytest.mark.parametrize("situation", EXITS.values(), ids=EXITS.keys())
def test_the_process_exits_at_once_with(situation: str) -> None:
    done = run_script(f"""
    import asyncio, atexit, threading, time
    from zhiyipdf import blocking
    from zhiyipdf.blocking import loop as loop_module, work

    work.CLEAN_UP_S = 3600.0     # waiting for clean-up at exit must not go unseen
    library = "async def stream():\\n  yield 1\\n  await asyncio.Event().wait()"
    started = threading.Event()

    async def endless():
        started.set()
        await asyncio.Event().wait()

    async def stuck():
        def wait_for_ever(event=threading.Event()):
            started.set()
            event.wait()
        await asyncio.to_thread(wait_for_ever)

    async def stream():
        yield 1
        await asyncio.Event().wait()

    class Late:
        run, nothing = blocking.run, asyncio.sleep
        def __del__(self):
            try:
                Late.run(Late.nothing(0))
            except RuntimeError:
                pass

    {situation}
    print("end of the program", flush=True)
    """)

    assert done.stdout == "end of the program\n"
    assert "Traceback" not in done.stderr, done.stderr
    assert "Warning" not in done.stderr, done.stderr


# --- processes: Jupyter --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kernel() -> Iterator[object]:
    """A real IPython kernel, whose cells run inside its running event loop."""
    pytest.importorskip("ipykernel")
    manager = pytest.importorskip("jupyter_client.manager")
    kernel_manager, client = manager.start_new_kernel(kernel_name="python3", startup_timeout=60)
    yield kernel_manager, client
    client.stop_channels()
    kernel_manager.shutdown_kernel(now=True)
    kernel_manager.cleanup_resources()
    kernel_manager.context.destroy(linger=0)


@pytest.mark.filterwarnings("default")  # jupyter_client and pyzmq warn about themselves
def test_a_notebook_cell_can_call_and_iterate(kernel: tuple[object, object]) -> None:
    _, client = kernel
    output: list[str] = []
    reply = client.execute_interactive(  # type: ignore[attr-defined]
        "import asyncio\n"
        "from zhiyipdf import blocking\n"
        "asyncio.get_running_loop()          # there is one: asyncio.run would be refused\n"
        "async def work():\n"
        "    await asyncio.sleep(0)\n"
        "    return 'ran'\n"
        "async def stream():\n"
        "    yield 1\n"
        "    yield 2\n"
        "print(blocking.run(work()), list(blocking.iterate(stream)))\n",
        timeout=PATIENCE_S,
        output_hook=lambda message: output.append(message["content"].get("text", "")),
    )

    assert reply["content"]["status"] == "ok", reply["content"]
    assert "".join(output) == "ran [1, 2]\n"


@posix
@pytest.mark.filterwarnings("default")
def test_interrupting_a_notebook_cell_cancels_its_work(kernel: tuple[object, object]) -> None:
    kernel_manager, client = kernel
    output: list[str] = []

    def hear(message: dict[str, dict[str, str]]) -> None:
        output.append(message["content"].get("text", ""))
        if "started" in output[-1]:
            kernel_manager.interrupt_kernel()  # type: ignore[attr-defined]

    reply = client.execute_interactive(  # type: ignore[attr-defined]
        "import asyncio\n"
        "from zhiyipdf import blocking\n"
        "async def work():\n"
        "    print('started', flush=True)\n"
        "    try:\n"
        "        await asyncio.Event().wait()\n"
        "    finally:\n"
        "        await asyncio.sleep(0)\n"
        "        print('cleaned up', flush=True)\n"
        "blocking.run(work())\n",
        timeout=PATIENCE_S,
        output_hook=hear,
    )

    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert "cleaned up" in "".join(output)
