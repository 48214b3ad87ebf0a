"""Inspect logs as runs: outcome, spend, cap and price of every sample."""

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from pathlib import Path

import pandas as pd

from evalbayes.errors import InputError
from evalfolio.readers.log_facts import inspect_log_module, partial_file, read_facts, score_edits
from evalfolio.readers.log_runs import Reading, runs_of_logs
from evalfolio.readers.outcomes import SPEND_UNITS, CapRule, SuccessRule, check_cap
from evalfolio.readers.parallel import Failure, read_logs
from evalfolio.readers.prices import Prices, default_prices, read_prices
from evalfolio.readers.result import ImportResult

Progress = Callable[[int, int], None]
# Files Inspect writes beside its logs: they are skipped when a folder is given.
_NOT_LOGS = {"logs.json", "listing.json", "eval-set.json", "_scan.json"}


def read_inspect_logs(
    paths: str | Path | Sequence[str | Path],
    *,
    prices: Prices | str | Path | None = None,
    spend: str = "tokens",
    success: SuccessRule = 1.0,
    scorer: str | None = None,
    evals: Mapping[str, str] | None = None,
    ai_models: Mapping[str, str] | None = None,
    effort: float | Mapping[str, float] | None = None,
    cap: CapRule = None,
    by: str | Sequence[str] = (),
    strict: bool = False,
    duplicates: str = "exclude",
    workers: int = 2,
    max_megabytes: float = 150.0,
    checkpoint: str | Path | None = None,
    progress: Progress | bool | None = None,
) -> ImportResult:
    """Read Inspect logs (`.eval` and `.json`, every version inspect_ai reads) as runs.

    Every sample of every epoch becomes one row, also those that do not count: samples that
    ended in an error, were cancelled, invalidated, never scored or done by people are `excluded`
    with the reason; people's median times on a task become its `human_minutes` where it has none.
    Spend is what the sample's limits meter, so what scoring used is left out of it (not of `usd`,
    which is all that is paid); where the log has a cost limit, spend in USD is what the log
    reports. A usage of zero is taken as not recorded. Whatever moved an outcome, a spend, a cap or
    a name stands in `notes`, with how many runs and the first.

    InputError if inspect_ai is missing, an argument is not as above, nothing was found, or (strict)
    a log cannot be read.

    Parameters
    ----------
    paths
        Logs, folders (searched through) or addresses inspect_ai understands.
    prices
        Price table or its file, for the column `usd`; None: the table shipped with the package.
    spend
        Unit of `spend` and `cap`: "tokens" (all kinds), "usd" (priced) or "hours" (working time).
    success
        Score from which a run is a success, thresholds by eval, or a rule.
    scorer
        Score that counts where samples have several; None: the log's headline or first score.
    evals, ai_models
        New names of Inspect tasks and models; a task keeps its name without the package.
    effort
        Elicitation effort of the runs, by eval, or by setting (`{"reasoning_effort:high": 0.3}`);
        None: as the log's metadata says (written by the exported run settings), else empty.
    cap
        Cap of the runs whose log has none, or by eval; None: the largest spend met in the eval
        (rounded up), which censors nothing.
    by
        Settings that keep runs apart, comma-separated or one by one: arguments of the task
        (`task_args` for all) are added to the name of the eval; `solver`, `solver_args`,
        `reasoning_effort` and the like to that of the AI model. What differs and is not named
        here is noted.
    strict
        Whether the first log that cannot be read raises; else it is a row of `errors`.
    duplicates
        "exclude" marks samples met a second time (logs copied, converted or retried) as
        excluded; of copies that differ the one corrected by hand counts, else the one written
        last. "keep" counts them again.
    workers
        Processes that read; 1: none but this one.
    max_megabytes
        Most MB, unpacked, held in memory per log.
    checkpoint
        Folder for partial results: an import that was interrupted goes on where it ended, and
        a log that has not changed is not read again. None: none are kept.
    progress
        True for a bar, or a function called with (logs done, logs in all).

    Returns
    -------
    ImportResult
        `counts` has per log what Inspect reports too: samples, tokens, metric.
    """
    if spend not in SPEND_UNITS:
        raise InputError(f'spend must be "tokens", "usd" or "hours", got {spend!r}.')
    if duplicates not in ("exclude", "keep"):
        raise InputError(f'duplicates must be "exclude" or "keep", got {duplicates!r}.')
    if workers < 1:
        raise InputError(f"workers must be at least 1, got {workers}.")
    for share in effort.values() if isinstance(effort, Mapping) else [effort]:
        if share is not None and not 0 <= share <= 1:
            raise InputError(f"effort must be from 0 to 1, got {share}.")
    if not 0 < max_megabytes < inf:
        raise InputError(f"max_megabytes must be above 0, got {max_megabytes}; give 150 or more.")
    check_cap(cap)
    inspect_log_module()
    logs = find_logs(paths)
    max_bytes = int(max_megabytes * 1e6)
    reading = Reading(
        prices=prices if isinstance(prices, Prices)
        else default_prices() if prices is None else read_prices(prices),
        spend=spend,
        success=success,
        scorer=scorer,
        evals=dict(evals or {}),
        ai_models=dict(ai_models or {}),
        effort=effort,
        cap=cap,
        by=tuple(filter(None, map(str.strip, by.split(",") if isinstance(by, str) else by))),
        keep_duplicates=duplicates == "keep",
        edits_of=lambda run: score_edits(
            run["log"], json.loads(run["sample_key"]), run["epoch"], max_bytes=max_bytes
        ),
    )  # fmt: skip
    errors: list[dict[str, str]] = []
    with _folder(checkpoint) as folder, _shown(progress, len(logs)) as tell:
        done = 0

        def on_done(log: str, failure: Failure | None) -> None:
            nonlocal done
            done += 1
            tell(done, len(logs))
            if failure is None:
                return
            if strict:
                raise InputError(
                    f"{log} cannot be read ({failure['error']}: {failure['message']}); mend or "
                    "remove it, or read without strict to list it and go on."
                )
            errors.append({"log": log, **failure})

        read_logs(logs, folder, workers=workers, max_bytes=max_bytes, on_done=on_done)
        failed = {e["log"] for e in errors}
        facts = ((log, *read_facts(partial_file(folder, log))) for log in logs if log not in failed)
        runs, counts, notes = runs_of_logs(facts, reading)
    table = pd.DataFrame(errors, columns=["log", "error", "message"]).sort_values("log")
    return ImportResult(runs, table.reset_index(drop=True), counts, spend, notes)


def find_logs(paths: str | Path | Sequence[str | Path]) -> list[str]:
    """Return the logs under the paths, sorted, each once."""
    found: dict[str, None] = {}
    for path in [paths] if isinstance(paths, str | Path) else paths:
        text = str(path)
        if "://" in text:
            found[text] = None
        elif Path(text).is_dir():
            for file in sorted(Path(text).rglob("*")):
                ending = file.suffix.lower()
                if ending in (".eval", ".json") and file.name not in _NOT_LOGS and file.is_file():
                    found[str(file)] = None
        elif Path(text).exists():
            found[text] = None
        else:
            raise InputError(
                f"{text}: must be a log or a folder of logs that exists, but there is none; "
                "check its name"
            )
    if not found:
        raise InputError(
            "there must be an Inspect log (.eval or .json) under the paths given, got none; "
            "check their names"
        )
    return list(found)


@contextlib.contextmanager
def _folder(checkpoint: str | Path | None) -> Iterator[Path]:
    if checkpoint is None:
        with tempfile.TemporaryDirectory(prefix="evalfolio-import-") as folder:
            yield Path(folder)
    else:
        try:
            Path(checkpoint).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The checkpoint {checkpoint} must be a folder that can be written to: "
                f"{error.strerror}; give another."
            ) from error
        yield Path(checkpoint)


@contextlib.contextmanager
def _shown(progress: Progress | bool | None, total: int) -> Iterator[Progress]:
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda done, total: None
    else:
        from rich.console import Console
        from rich.progress import Progress as Bar

        with Bar(console=Console(stderr=True)) as bar:
            task = bar.add_task("reading logs", total=total)
            yield lambda done, total: bar.update(task, completed=done)
