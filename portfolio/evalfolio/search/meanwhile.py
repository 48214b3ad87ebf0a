"""What is worked out in another process while this one goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

IDLE = 10.0  # seconds after which a process whose parent was killed ends
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MANY = 300  # options; with fewer a process of its own takes longer than it saves


@contextmanager
def meanwhile(function: Callable[..., Any], *held: Any, apart: bool) -> Iterator[Callable[[], Any]]:
    """Work out a function of what is held in another process while the block runs.

    The block is given what waits for the result. Where it is not to be `apart`, there is one core,
    or the process dies (of want of memory, say), the result is worked out here when asked for; it
    is the same. What still runs when the block ends is stopped.
    """
    from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor, cpu_count

    if not apart or cpu_count() < 2:
        yield partial(function, *held)
        return

    other = ProcessPoolExecutor(1, timeout=IDLE, env=dict.fromkeys(THREADS, "1"))
    try:
        running = other.submit(function, *held)

        def result() -> Any:
            try:
                return running.result()
            except BrokenProcessPool:
                return function(*held)

        yield result
    finally:
        other.shutdown(kill_workers=True)
