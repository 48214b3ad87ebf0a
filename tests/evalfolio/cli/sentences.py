"""The one sentence with which a command on wrong input ends."""

from __future__ import annotations


def one_sentence(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]
