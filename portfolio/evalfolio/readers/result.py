"""What an import returns: the runs, what each file gave, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evalbayes.errors import InputError

ENDINGS = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True, eq=False)  # eq=False: frames have no single truth value
class ImportResult:
    """Runs read from logs or tables, with an account of everything met on the way.

    Parameters
    ----------
    runs
        One row per run with the columns of an observations file (eval, task, ai_model, outcome,
        spend, spend_unit, cap, human_minutes, effort, attempt, reviewed, score, date) and more that
        describe (reason, tokens by kind, usd, limit, log, ...). Runs that do not count have
        the outcome `excluded` and a reason.
    errors
        One row per file or line that could not be read: log, error, message.
    counts
        One row per file: samples, outcomes, reasons of exclusion, tokens, limits.
    spend_unit
        Unit of `spend` and `cap`: "tokens", "usd" or "hours".
    notes
        What a reader of the result must know, one sentence each.
    """

    runs: pd.DataFrame
    errors: pd.DataFrame
    counts: pd.DataFrame
    spend_unit: str
    notes: tuple[str, ...] = ()

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
        """Write the runs as an observations file (.csv, .csv.gz or .parquet), whole or not at all.

        InputError if the name ends otherwise.
        """
        from evalbayes.whole import whole_file  # workers never write: not paid for there

        path = check_ending(path)
        with whole_file(path) as partial:
            if path.suffix == ".parquet":
                self.runs.to_parquet(partial, index=False)
            elif path.suffix == ".gz":
                self.runs.to_csv(partial, index=False, compression="gzip")
            else:
                self.runs.to_csv(partial, index=False, compression=None)
        return path


def check_ending(path: str | Path) -> Path:
    """Return where runs are to be written, before the long work of reading them.

    InputError if no observations file ends so.
    """
    path = Path(path)
    if not path.name.endswith(ENDINGS):
        raise InputError(
            f"{path}: observations must be written to a file ending in {', '.join(ENDINGS)}, "
            f"got {path.suffix or 'no ending'!r}; name it so"
        )
    return path
