"""`evalfolio recommend`: the mix for a budget, written as tables, a workbook and a report."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import detailed, print_json, print_table, records, say, step, warn

if TYPE_CHECKING:
    import pandas as pd

    from evalfolio.record.record import Record

BudgetOption = Annotated[
    shared.Texts, Option(help="A limit, e.g. usd=250000 or staff_hours=400; repeatable.")
]
GapOption = Annotated[float, Option(help="Certified distance to the optimum.")]
SensitivityOption = Annotated[
    bool,
    Option(
        "--sensitivity/--no-sensitivity",
        help="Plan anew with every assumed figure at either end of its range, for the tornado of "
        "report and workbook: two more plans for each.",
    ),
]
BacktestOption = Annotated[
    Path | None,
    Option(
        help="Folder that evalfolio backtest wrote: its findings become a section of report and "
        "workbook."
    ),
]
ScenariosOption = Annotated[
    Path | None,
    Option(
        help="Table of scenarios, CSV or TOML: a name and its settings, as --set has them; their "
        "plans stand beside this one, also in OUT/side_by_side.csv."
    ),
]
AiModelsOption = Annotated[
    shared.Texts,
    Option(
        "--ai-model",
        help="Several AI models that share the budgets, one option each: which gets what.",
    ),
]
HumansOption = Annotated[
    Path | None, Option(help="Runs by people: task, minutes, and success or score; a baseline.")
]
StagesOption = Annotated[
    int | None,
    Option(help="Also what to run first, and which results release what else, in 2 or 3 stages."),
]


def recommend(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    posterior: shared.PosteriorOption = None,
    budget: BudgetOption = None,
    contingency: shared.ContingencyOption = None,
    constraints: shared.ConstraintsOption = None,
    settings: shared.SetOption = None,
    ai_models: AiModelsOption = None,
    scenarios: ScenariosOption = None,
    stages: StagesOption = None,
    humans: HumansOption = None,
    out: shared.OutOption = Path("plan"),
    gap: GapOption = 1e-3,
    time_limit: shared.TimeLimitOption = 60.0,
    method: shared.MethodOption = "certified",
    sensitivity: SensitivityOption = False,
    backtest: BacktestOption = None,
    seed: shared.SeedOption = 0,
    draws: shared.DrawsOption = None,
    allow_failed_fit: shared.AllowFailedFitOption = False,
) -> None:
    """Recommend the mix of evals that tells most about the decisions, within the budgets."""
    from evalfolio.cli.inputs import asked_catalogue, enforce_gate, posterior_of, tell_anchors
    from evalfolio.errors import InputError
    from evalfolio.export import check_folder, write_all
    from evalfolio.limits import constraints_from_table
    from evalfolio.limits.budget import parse_budgets, parse_contingency
    from evalfolio.plans.optimiser import method_of
    from evalfolio.programmes.told import in_stages
    from evalfolio.recommendations.alternatives import read_scenarios, side_by_side
    from evalfolio.recommendations.baselines import baseline_of
    from evalfolio.recommendations.recommender import recommend as make
    from evalfolio.recommendations.several import recommend_several
    from evalfolio.search import Certified

    if ai_models and scenarios is not None:
        raise InputError(
            "give --ai-model or --scenarios, not both; plan the scenarios of one AI model at a time"
        )
    if stages not in (None, 2, 3):
        raise InputError(f"--stages must be 2 or 3, got {stages}; 2 looks at results once")
    search = method_of(method, Certified(gap, time_limit, seed))
    budgets = parse_budgets(budget or [])
    kept_back = parse_contingency(contingency or [])
    rules = constraints_from_table(constraints) if constraints else ()
    check_folder(out)
    replayed = None
    if backtest is not None:  # a room of its own, slow to load
        from evalfolio.backtests.page import told

        replayed = told(backtest)
    several = {} if scenarios is None else read_scenarios(scenarios)
    read = asked_catalogue(catalogue, settings, budgets, kept_back, rules)
    for words in several.values():
        asked_catalogue(catalogue, (*(settings or ()), *words), budgets)
    files = [catalogue, *(observations or []), *([posterior] if posterior else [])]
    files += [each for each in (constraints, scenarios, humans) if each]
    observed, belief = posterior_of(
        read,
        observations,
        posterior,
        seed=seed,
        draws=draws,
        keep=out / "posterior.nc",
        anchored=tell_anchors(read, deciding=True),
        unset=catalogue if settings else None,
    )
    common: dict[str, Any] = {"budget": budgets, "contingency": kept_back}
    common |= {"constraints": rules, "seed": seed}
    with step("splitting this budget and others"):
        how: dict[str, Any] = common | {"method": search, "inputs": files}
        if ai_models:
            result = recommend_several(read, observed, belief, ai_models, **how)
        else:
            how |= {"sensitivity": sensitivity, "backtest": replayed}
            result = make(read, observed, belief, **how)
    if stages is not None:
        with step(f"planning {stages} stages"):
            result = in_stages(result, stages, seed=seed)
    if humans is not None:
        told_of = result.record.replace(humans=baseline_of(humans, observed, read, seed=seed))
        result = replace(result, plan=replace(result.plan, told=told_of))
    beside = None
    if several:
        with step(f"planning {len(several)} scenarios"):
            beside = side_by_side(
                result.plan,
                catalogue,
                belief,
                several,
                settings=settings or (),
                method=search.roughly(2e-3, 20.0),
                **common,
            )
    with step(f"writing {out}/"):
        write_all(result, out, scenarios=beside)
    more = {} if beside is None else {"scenarios": records(beside.reset_index())}
    print_json(json.loads(result.record.to_json()) | more)
    say(result)
    if detailed():
        show(result.record)
        for warning in result.record.warnings:
            warn(warning)
        if reason := result.proof.get("not_verifiable"):
            warn(f"certificate.json proves nothing to others: {reason}.")
    if beside is not None:
        columns = ["settings", "value", "share_of_evpi", "usd", "deep_usd", "deep_hours", "changes"]
        print_table(beside[columns].reset_index(), "Scenarios")
    enforce_gate(belief, allowed=allow_failed_fit)


def show(record: "Record") -> None:
    """Print the mix and the decisions as two tables."""
    import pandas as pd

    from evalfolio.narrative import SHARED, listing, percent
    from evalfolio.record.record import Choice

    if choices := record.to_run:
        rows = pd.DataFrame([mix_row(dict(row)) for row in choices])
        if record.value.noise is not None:
            rows["firm"] = ["firm" if row.firm else "" for row in choices]
        blank = dict.fromkeys(Choice.model_fields) | {"tier": SHARED}
        shared = [mix_row(blank | dict(row) | {"eval": row.name}) for row in record.shared]
        rows = pd.concat([rows, pd.DataFrame(shared)]) if shared else rows
        print_table(pd.concat([rows, mix_total(rows)]), "Mix")
        if record.words.firm:
            say(record.words.firm)
    if record.split:
        parts = listing([f"{percent(share)} of {name}" for name, share in record.split.items()])
        say(f"The best split in parts: {parts}.")
    columns = {
        "name": "decision",
        "call_now": "call now",
        "p_exceeds": "P(exceeds)",
        "p_missed_now": "danger missed now",
        "p_missed_expected": "... after the plan",
        "p_needless_now": "needless mitigation now",
        "p_needless_expected": "... after it",
    }
    domains = pd.DataFrame(map(dict, record.domains), columns=list(columns))
    print_table(domains.rename(columns=columns), "Decisions")
    for row in record.domains:
        if row.held_against:
            say(f"The threshold of {row.name} is held against {row.held_against}.")
    for sentence in () if record.stages is None else record.stages.sentences:
        say(sentence)


def mix_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the mix in columns few enough for a terminal.

    >>> row = {"eval": "ctf", "tier": "plateau", "cap": 2e6, "cap_unit": "tokens", "tasks": 40}
    >>> list(mix_row({**row, "attempts": 3, "usd": 570.2, "staff_hours": 9.15}).values())
    ['ctf', 'plateau', '2 M tokens', '40 × 3', 570.2, 9.15]
    >>> by_skill = {"staff_hours.bio": 2.0, "staff_hours.ml": 3.5}
    >>> mix_row({**row, "attempts": 3, "usd": 570.2, **by_skill})["staff hours"]
    5.5
    """
    from evalfolio.export.report.numerals import amount

    tasks, attempts = row["tasks"], row["attempts"]
    return {
        "eval": row["eval"],
        "tier": row["tier"],
        "cap": "" if row["cap"] is None else amount(row["cap"], row["cap_unit"] or ""),
        "tasks × attempts": "" if tasks is None else f"{tasks} × {attempts or 1}",
        "USD": row["usd"],
        "staff hours": sum(used for key, used in row.items() if key.startswith("staff_hours")),
    }


def mix_total(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the row that sums the mix.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"eval": ["a", "b"], "USD": [570.2, 30.0], "staff hours": [9.0, 2.5]})
    >>> mix_total(rows).to_dict("records")
    [{'eval': 'total', 'USD': 600.2, 'staff hours': 11.5}]
    """
    import pandas as pd

    sums = rows[["USD", "staff hours"]].sum().to_dict()
    words = dict.fromkeys(rows.columns, "") | {"eval": "total"}
    return pd.DataFrame([words | sums])
