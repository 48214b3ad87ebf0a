"""Reading many logs: a few worker processes, results on disk, at most one log in hand each.

A worker is this file as a process of its own, so that a log which breaks the interpreter costs one
row of the error table and not the import, and so that a caller's script needs no `__main__` guard.
"""

import contextlib
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

from evalfolio.readers.log_facts import (
    inspect_log_module,
    partial_file,
    read_log_facts,
    write_facts,
)
from evalfolio.readers.log_size import in_words


def read_one(log: str, target: str, max_bytes: int) -> dict[str, str]:
    """Read one log into its partial file; return {} or the error's kind and message."""
    try:
        write_facts(read_log_facts(log, max_bytes=max_bytes), Path(target))
    except Exception as error:  # a broken log may raise anything: it becomes a row of the errors
        return {"error": type(error).__name__, "message": in_words(error, log)}
    return {}


def main() -> None:
    """Answer requests until stdin closes."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints must not mix with the answers
    inspect_log_module()
    gc.freeze()  # what was imported stays, and is not looked through again at every collection
    for line in sys.stdin:
        request = json.loads(line)
        answer = read_one(request["log"], request["target"], request["max_bytes"])
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


Failure = dict[str, str]
_LOGS_PER_PROCESS = 500  # a worker is replaced after so many: memory a library keeps is let go
_WORTH_A_PROCESS = 16  # starting a worker costs about as much as reading this many small logs


def read_logs(
    logs: Iterable[str],
    folder: Path,
    *,
    workers: int,
    max_bytes: int,
    on_done: Callable[[str, Failure | None], None],
) -> None:
    """Read every log into its partial file in `folder`; those already there are not read again.

    `on_done` is called in this thread, once per log as it is finished, with None or the failure
    (keys error, message). An exception it raises ends the import; finished logs stay in `folder`.
    """
    waiting: list[tuple[str, str]] = []
    for log in logs:
        try:
            target = partial_file(folder, log)
        except OSError as error:
            on_done(log, {"error": type(error).__name__, "message": in_words(error, log)})
            continue
        if target.exists():
            on_done(log, None)
        else:
            waiting.append((log, str(target)))
    count = min(workers, -(-len(waiting) // _WORTH_A_PROCESS))
    if count <= 1:
        for log, target_file in waiting:
            on_done(log, read_one(log, target_file, max_bytes) or None)
    else:
        with contextlib.closing(_in_processes(waiting, count, max_bytes)) as finished:
            for log, failure in finished:
                on_done(log, failure)


def _in_processes(
    waiting: list[tuple[str, str]], count: int, max_bytes: int
) -> Generator[tuple[str, Failure | None], None, None]:
    """Read logs in so many processes, each fed by a thread; give them as they are finished."""
    workers = [_Worker(max_bytes) for _ in range(count)]
    idle: SimpleQueue[_Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def read(log: str, target: str) -> tuple[str, Failure | None]:
        worker = idle.get()
        try:
            return log, worker.read(log, target)
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(count)
    try:
        for done in as_completed([threads.submit(read, *item) for item in waiting]):
            yield done.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:  # on an early end; after the last log one has nothing to lose
            if worker.process is not None:
                worker.process.kill()
        threads.shutdown()
        for worker in workers:
            worker.end()


class _Worker:
    """A process that reads logs one by one: another where it has died or served enough."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.served = max_bytes, 0
        self.process: subprocess.Popen[str] | None = None

    def read(self, log: str, target: str) -> Failure | None:
        """Have a log read into its partial file; return why that failed."""
        if self.process is None or self.served >= _LOGS_PER_PROCESS:
            self.end()
            self.process, self.served = _start(), 0
        self.served += 1
        request = json.dumps({"log": log, "target": target, "max_bytes": self.max_bytes})
        assert self.process.stdin is not None  # opened as pipes in _start
        assert self.process.stdout is not None
        line = ""
        with contextlib.suppress(OSError):  # it is dead: nothing is answered
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        if line.endswith("\n"):
            answer: Failure = json.loads(line)
            return answer or None
        told = f"The process reading this log ended with code {self.end()}."
        return {"error": "WorkerDied", "message": told}

    def end(self) -> int:
        """Let the process end, or end it, and return its exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):  # a dead worker's pipe cannot be flushed
            process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
        process.stdout.close()
        return process.wait()


def _start() -> subprocess.Popen[str]:
    paths = os.pathsep.join(p for p in sys.path if p)
    return subprocess.Popen(
        [sys.executable, "-m", "evalfolio.readers.parallel"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        start_new_session=True,  # Ctrl-C reaches the parent alone, which ends its workers
    )


if __name__ == "__main__":
    main()
