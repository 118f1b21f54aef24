"""Interrupts: they wait for what must not be torn in half, and come then."""

import signal
import threading

import pytest

from bench.runtime.interrupts import interrupts_held


@pytest.mark.parametrize("fails", [False, True])
def test_an_interrupt_comes_when_the_block_is_through(*, fails: bool) -> None:
    done: list[str] = []

    def work() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest")
            if fails:
                raise OSError

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["the rest"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_do_not_care() -> None:
    done: list[str] = []

    def work() -> None:
        with interrupts_held():
            done.append("work")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["work"]
