"""One worker of a parallel import: reads the logs named on stdin, answers a line for each.

A worker is a process of its own, so that a log which breaks the interpreter costs one row of the
error table and not the import, and so that a caller's script needs no `__main__` guard.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from evalfolio.readers.broken_log import in_words
from evalfolio.readers.log_facts import inspect_log_module, read_log_facts, write_facts


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


if __name__ == "__main__":
    main()
