"""`evalfolio harness`: a plan as run settings that Inspect accepts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from evalfolio.cli.console import detailed, print_json, say
from evalfolio.cli.imports import PricesOption, pairs
from evalfolio.cli.options import CatalogueArgument, Texts

if TYPE_CHECKING:
    import pandas as pd


def harness(
    catalogue: CatalogueArgument,
    plan: Annotated[Path, Option(help="Folder that `evalfolio recommend` wrote.")],
    model: Annotated[str, Option(help="Inspect's name of the AI model.")],
    out: Annotated[Path, Option(help="Folder for run.sh and settings.yaml.")],
    task: Annotated[Texts, Option(help="EVAL=file.py@task; repeatable.")] = None,
    drawn: Annotated[
        bool,
        Option(
            "--drawn-tasks",
            help="Run the very tasks of tasks.csv by their sample ids; otherwise as many, in an "
            "order shuffled by the plan's seed.",
        ),
    ] = False,
    flow: Annotated[
        bool, Option("--flow", help="Write flow.yaml too, for `flow run` (Inspect Flow).")
    ] = False,
    prices: PricesOption = None,
) -> None:
    """Write a YAML file and a script of `inspect eval` commands with the plan's caps and epochs."""
    from evalbayes.catalogue import read_catalogue
    from evalbayes.names import refuse_unknown
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.inspect import (
        inspect_settings,
        write_flow_specs,
        write_inspect_script,
        write_inspect_yaml,
    )
    from evalfolio.narrative import STUDY, listing, two_digits
    from evalfolio.plans.mix_file import read_mix
    from evalfolio.readers.prices import read_prices
    from evalfolio.record.record import FILE, Record

    mix = read_mix(plan_folder(plan, "mix.csv") / "mix.csv")
    mix = mix[mix["tier"] != STUDY] if "tier" in mix else mix  # a harness runs no people
    known, tasks = read_catalogue(catalogue), pairs(task, "--task")
    refuse_unknown("--task", tasks, [spec.name for spec in known.evals], what="eval")
    settings = inspect_settings(
        with_baselines(mix, plan),
        known,
        model=model,
        tasks=tasks or None,
        sample_ids=drawn_tasks(plan) if drawn else None,
        prices=None if prices is None else read_prices(prices),
        seed=Record.load(plan).provenance.seed if (plan / FILE).exists() else 0,
    )
    out.mkdir(parents=True, exist_ok=True)
    files = [
        write_inspect_yaml(settings, out / "settings.yaml"),
        write_inspect_script(settings, out / "run.sh"),
        *(write_flow_specs(settings, out) if flow else ()),
    ]
    spends = {
        name: None if column not in mix else sum(map(float, mix[column].dropna()))
        for name, column in (("expected_usd", "usd"), ("usd_at_every_cap", "usd_ceiling"))
    }
    unnamed = list(dict.fromkeys(e for run in settings["runs"] if (e := run["eval"]) not in tasks))
    print_json(settings | spends | {"without_task": unnamed})
    if detailed():
        say(f"wrote {listing([str(file) for file in files])}")
        if (usd := spends["expected_usd"]) is not None:
            most = spends["usd_at_every_cap"]
            at_most = "" if most is None else f", ${two_digits(most)} with every attempt at its cap"
            runs = len(settings["runs"])
            say(f"Its {runs} commands cost an expected ${two_digits(usd)}{at_most}.")
        if unnamed:
            say(
                f"No --task was given for {listing(unnamed)}: Inspect is asked for a task of that "
                f"name. Where it knows another, say so: --task "
                f"{unnamed[0]}=inspect_evals/{unnamed[0]}"
            )


def with_baselines(mix: "pd.DataFrame", plan: Path) -> "pd.DataFrame":
    """Return a mix by its options, with the plateau-level readings inside, which the menu knows."""
    from evalbayes import Menu

    if "option" in mix:
        mix = mix.set_index("option")
    if not (plan / "menu").is_dir():
        return mix
    columns = ["baseline_runs", "baseline_cap"]
    return mix.join(Menu.load(plan / "menu").options.reindex(columns=columns))


def drawn_tasks(plan: Path) -> dict[str, list[str]]:
    """Return the tasks drawn for every option, as the plan's tasks.csv has them."""
    from evalbayes.tables.delimited import read_delimited
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.errors import InputError

    path = plan_folder(plan, "tasks.csv") / "tasks.csv"
    rows = read_delimited(path)
    if not {"option", "task"} <= set(rows.columns):
        raise InputError(
            f"{path}: must have the columns option and task, got {', '.join(rows.columns)}; take "
            "it as `evalfolio recommend` wrote it"
        )
    if rows.empty:
        raise InputError(
            f"{plan}/tasks.csv: must hold the tasks that were drawn, but it has none: neither the "
            "catalogue (task_names) nor runs named them; drop --drawn-tasks"
        )
    return {str(name): part["task"].tolist() for name, part in rows.groupby("option")}
