"""Progress where stderr is a pipe: a line now and then, and how far a sweep is."""

from __future__ import annotations

import time

import pytest

from evalfolio.cli import console


def test_a_pipe_is_told_that_work_goes_on_and_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "PIPED_EVERY", 0.02)
    with console.counted("varying") as tick:
        assert tick is not None
        tick("frontier_usd", 3, 12)
        until = time.monotonic() + 5.0
        said = ""
        while "3 of 12" not in said and time.monotonic() < until:
            time.sleep(0.02)
            said += capsys.readouterr().err
    assert "varying: 0 s so far, frontier usd 3 of 12" in said
    last = capsys.readouterr().err
    assert "varying (0." in last or "varying (1." in last


def test_nothing_is_said_where_it_is_quiet_or_soon_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(console.ASKED, "quiet", True)
        with console.counted("varying") as tick:
            assert tick is None
    with console.step("writing"):
        pass
    assert "so far" not in capsys.readouterr().err
