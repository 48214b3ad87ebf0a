"""The order of files, and a switch for machines that have everything.

The longest files come first, or one of two workers would begin a file of minutes when the other has
nothing left (xdist keeps this order with `--no-loadscope-reorder`, as `make slow` has it).

With EVALFOLIO_SKIPS=expected a session fails when a test was skipped for a reason that is not
below, so that a lost download, data set or extra does not take tests away in silence; with
`reported` it says so and does not fail.
"""

from __future__ import annotations

import os

import pytest

LONG = (
    "test_calibration.py",
    "test_notebooks.py",
    "test_portfolio_example.py",
    "test_programmes.py",
    "test_recovery.py",
)
EXPECTED = (
    "root may write anywhere",
    "as good as any",
    "tests/test_extending.py runs it",
    "asks the tool itself: pip install inspect-flow",
    "axe-core could not be fetched",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    asked = os.environ.get("EVALFOLIO_SKIPS")
    if asked not in ("expected", "reported") or reporter is None:
        return
    skipped = [str(report.longrepr[2]) for report in reporter.stats.get("skipped", ())]
    others = sorted({text for text in skipped if not any(each in text for each in EXPECTED)})
    if others:
        reporter.write_line(
            f"{len(skipped)} tests were skipped, and these reasons are not expected here: "
            + "; ".join(others),
            red=True,
        )
        if asked == "expected":
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
