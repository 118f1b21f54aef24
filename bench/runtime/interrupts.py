"""What Ctrl-C and a SIGTERM do: they interrupt what runs, but never in the middle of a file."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

HELD: Final = (signal.SIGINT, signal.SIGTERM)


def interrupt_on_sigterm() -> None:
    """Let a SIGTERM do what Ctrl-C does: raise KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, _interrupt)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let interrupts wait until the block is through. In other threads than the main one they never come anyway."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in HELD}
    try:
        yield
    finally:
        for held, handler in handlers.items():
            signal.signal(held, handler)
        for number in came:
            signal.raise_signal(number)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
