"""The account of an import: what each log held."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.observations.outcome import OUTCOMES
from evalfolio.readers.usage import COLUMNS


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
        metrics = [m for m in header["metrics"] if header["scorer"] in _score_names(m)]
        rows.append(
            {
                "log": header["log"],
                "eval": header["eval"],
                "ai_model": header["ai_model"],
                "status": header["status"],
                "inspect_version": header["inspect_version"],
                "samples": header["samples"],
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
                "token_limit": _number(header["token_limit"]),
                "cost_limit": _number(header["cost_limit"]),
                "metrics": json.dumps({k: v for m in metrics for k, v in m["values"].items()}),
                "log_error": header["error"],
            }
        )
    counts = pd.DataFrame(rows).merge(grouped, how="left", left_on="log", right_index=True)
    whole = [str(c) for c in flags if c not in ("usd", "tokens_in_runs")]
    counts[whole] = counts[whole].fillna(0).astype(int)
    return counts.rename(columns={"success": "successes"})


def _score_names(metric: Mapping[str, Any]) -> tuple[str, str, str]:
    return (metric["score"], metric["scorer"], f"{metric['scorer']}.{metric['score']}")


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
