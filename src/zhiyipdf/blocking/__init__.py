"""One event loop on one daemon thread per process, for callers who cannot ``await``."""

from zhiyipdf.blocking.loop import CLEAN_UP_S, LoopThread, in_loop_thread, iterate, run

__all__ = ["CLEAN_UP_S", "LoopThread", "in_loop_thread", "iterate", "run"]
