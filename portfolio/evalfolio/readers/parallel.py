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
import threading
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from queue import Empty, Queue

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
    todo: Queue[tuple[str, str]] = Queue()
    for item in waiting:
        todo.put(item)
    done: Queue[tuple[str, Failure | None]] = Queue()
    stop = threading.Event()
    workers: list[subprocess.Popen[str]] = []
    threads = [
        threading.Thread(target=_serve, args=(todo, done, stop, workers, max_bytes), daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in waiting:
            yield done.get()
    finally:
        stop.set()
        for worker in list(workers):
            worker.kill()  # on an early end; after the last log a worker has nothing to lose
        for thread in threads:
            thread.join()


def _serve(
    todo: Queue[tuple[str, str]],
    done: Queue[tuple[str, Failure | None]],
    stop: threading.Event,
    workers: list[subprocess.Popen[str]],
    max_bytes: int,
) -> None:
    """Feed one worker process after another until nothing is left to do."""
    worker: subprocess.Popen[str] | None = None
    served = 0
    try:
        while not stop.is_set():
            try:
                log, target = todo.get_nowait()
            except Empty:
                return
            if worker is None or served >= _LOGS_PER_PROCESS:
                _end(worker)
                worker, served = _start(), 0
                workers.append(worker)
            served += 1
            request = json.dumps({"log": log, "target": target, "max_bytes": max_bytes})
            answer = _ask(worker, request)
            if answer is None:
                code = _end(worker)
                worker = None
                failure = {
                    "error": "WorkerDied",
                    "message": f"The process reading this log ended with code {code}.",
                }
                done.put((log, failure))
            else:
                done.put((log, answer or None))
    finally:
        _end(worker)


def _ask(worker: subprocess.Popen[str], request: str) -> Failure | None:
    assert worker.stdin is not None  # opened as pipes in _start
    assert worker.stdout is not None
    try:
        worker.stdin.write(request + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    except OSError:
        return None
    if not line.endswith("\n"):
        return None
    answer: Failure = json.loads(line)
    return answer


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


def _end(worker: subprocess.Popen[str] | None) -> int:
    """Let a worker end, or end it, and return its exit code."""
    if worker is None:
        return 0
    assert worker.stdin is not None
    assert worker.stdout is not None
    with contextlib.suppress(OSError):  # a dead worker's pipe cannot be flushed
        worker.stdin.close()
    try:
        worker.wait(timeout=5)
    except subprocess.TimeoutExpired:
        worker.kill()
    worker.stdout.close()
    return worker.wait()


if __name__ == "__main__":
    main()
