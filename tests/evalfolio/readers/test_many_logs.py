"""Two thousand logs in bounded memory."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from evalfolio.readers import read_inspect_logs


def resident(root: int) -> int:
    """Bytes held by a process and its children, of what several share each its part."""
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += 1024 * int(rollup.split("Pss:")[1].split()[0])
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += [int(c) for c in (task / "children").read_text().split()]
        except OSError:
            continue  # ended in the meantime
    return total


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from /proc"
)
def test_two_thousand_logs_stay_under_one_and_a_half_gib(
    public_logs: list[Path], tmp_path: Path
) -> None:
    for n in range(2000):
        source = public_logs[n % len(public_logs)]
        shutil.copy(source, tmp_path / f"{n:04d}{source.suffix}")
    (tmp_path / "corrupt.eval").write_bytes(b"PK\x03\x04 no more")
    peak = 0
    stop = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.is_set():
            peak = max(peak, resident(os.getpid()))
            time.sleep(0.1)

    before = resident(os.getpid())
    watcher = threading.Thread(target=watch)
    watcher.start()
    seen = 0

    def progress(done: int, total: int) -> None:
        nonlocal seen
        assert (done, total) == (seen + 1, 2001)
        seen = done

    try:
        result = read_inspect_logs(tmp_path, workers=2, duplicates="keep", progress=progress)
    finally:
        stop.set()
        watcher.join()
    assert seen == 2001
    assert len(result.errors) == 1
    assert result.counts["samples"].sum() == len(result.runs) == 20_500
    assert peak - before < 1.5 * 2**30
