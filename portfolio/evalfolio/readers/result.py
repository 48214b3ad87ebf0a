"""What an import returns: the runs, what each file gave, and what could not be read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from evalbayes.errors import InputError
from evalbayes.observations.shape import OUTCOMES
from evalfolio.readers.log_header import COLUMNS

_OF_HEADER = ("log", "eval", "ai_model", "status", "inspect_version", "samples")
ENDINGS = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class ImportResult:
    """Runs read from logs or tables, with an account of everything met on the way.

    Runs have the columns of an observations file (eval, task, ai_model, outcome, spend, spend_unit,
    cap, human_minutes, effort, attempt, reviewed, score, date) and more that describe (reason,
    tokens by kind, usd, limit, log, ...); those that do not count have the outcome `excluded` and a
    reason.
    """

    runs: pd.DataFrame
    errors: pd.DataFrame  # one row per file or line that could not be read: log, error, message
    # one row per file: samples, outcomes, reasons of exclusion, tokens, limits
    counts: pd.DataFrame
    spend_unit: str  # of `spend` and `cap`: "tokens", "usd" or "hours"
    notes: tuple[str, ...] = ()  # what a reader of the result must know, one sentence each

    def __str__(self) -> str:
        outcomes = self.runs["outcome"].value_counts()
        told = ", ".join(f"{n:,} {str(name).replace('_', ' ')}" for name, n in outcomes.items())
        lines = [
            f"{len(self.runs):,} runs of {self.runs['eval'].nunique()} evals from "
            f"{len(self.counts):,} files ({told or 'none'}); spend in {self.spend_unit}; "
            f"{len(self.errors):,} errors."
        ]
        lines += [f"- {note}" for note in self.notes]
        lines += [f"! {e.log}: {e.error}: {e.message}" for e in self.errors.head(20).itertuples()]
        if len(self.errors) > 20:
            lines.append(f"! and {len(self.errors) - 20:,} more errors")
        return "\n".join(lines)

    def write(self, path: str | Path) -> Path:
        """Write the runs as observations (.csv, .csv.gz or .parquet), whole or not at all."""
        from evalbayes.whole import whole_file  # workers never write: not paid for there

        path = check_ending(path)
        with whole_file(path) as partial:
            if path.suffix == ".parquet":
                self.runs.to_parquet(partial, index=False)
            else:
                packed: Literal["gzip"] | None = "gzip" if path.suffix == ".gz" else None
                self.runs.to_csv(partial, index=False, compression=packed)
        return path


def check_ending(path: str | Path) -> Path:
    """Return where runs are to be written, before the long work of reading them."""
    path = Path(path)
    if not path.name.endswith(ENDINGS):
        raise InputError(
            f"{path}: observations must be written to a file ending in {', '.join(ENDINGS)}, "
            f"got {path.suffix or 'no ending'!r}; name it so"
        )
    return path


def counts_of_logs(
    samples: pd.DataFrame,
    before: pd.Series,
    duplicate: pd.Series,
    headers: Sequence[Mapping[str, Any]],
) -> pd.DataFrame:
    """Return one row per log; outcomes are those before duplicates were excluded."""
    flags = pd.DataFrame(
        {
            **{o: before.eq(o) for o in OUTCOMES},
            **{r: before.eq("excluded") & samples["reason"].eq(r) for r in
               ("errored", "cancelled", "unscored", "invalidated", "human")},
            "duplicates": duplicate,
            "limits": samples["limit"].notna(),
            "no_spend": samples["spend"].isna() & before.ne("excluded"),
            "no_tokens": samples["tokens"].isna() & before.ne("excluded"),
        }
    ).astype(int)  # fmt: skip
    flags["retries"] = samples["retries"].fillna(0).astype(int)
    flags["usd"] = samples["usd"]
    flags["tokens_in_runs"] = samples["tokens"].where(before.ne("excluded"))
    grouped = flags.groupby(samples["log"]).sum(min_count=1)
    rows = []
    for header in headers:
        total = sum(u["total"] for u in header["usage"].values())
        planned = header["planned"]
        metrics = [
            m
            for m in header["metrics"]
            if header["scorer"] in (m["score"], m["scorer"], f"{m['scorer']}.{m['score']}")
        ]
        rows.append(
            {
                **{key: header[key] for key in _OF_HEADER},
                "missing": max(0, planned - header["samples"]) if planned else 0,
                "epochs": header["epochs"],
                "epochs_reducer": ",".join(header["epochs_reducer"]),
                "scorer": header["scorer"],
                "other_scorers": ",".join(
                    n
                    for n in header["scorers"]
                    if n != header["scorer"] and not n.startswith(f"{header['scorer']}.")
                ),
                "tokens": total or np.nan,
                **{
                    column: sum(u[k] for u in header["usage"].values()) if total else np.nan
                    for k, column in COLUMNS.items()
                },
                "token_limit": number_or_nan(header["token_limit"]),
                "cost_limit": number_or_nan(header["cost_limit"]),
                "metrics": json.dumps({k: v for m in metrics for k, v in m["values"].items()}),
                "log_error": header["error"],
            }
        )
    counts = pd.DataFrame(rows).merge(grouped, how="left", left_on="log", right_index=True)
    whole = [str(c) for c in flags if c not in ("usd", "tokens_in_runs")]
    counts[whole] = counts[whole].fillna(0).astype(int)
    return counts.rename(columns={"success": "successes"})


def number_or_nan(value: Any) -> float:
    """Return a figure of a log, NaN where it has none."""
    return np.nan if value is None else float(value)
