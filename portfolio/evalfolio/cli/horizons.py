"""`evalfolio horizons`: time horizons of runs, against the cap, and what an hour costs."""

from evalfolio.cli import options as shared
from evalfolio.cli.console import cell, detailed, print_json, print_table, records, say
from evalfolio.cli.curves import ModelOption


def horizons(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    ai_model: ModelOption = None,
    seed: shared.SeedOption = 0,
) -> None:
    """Show 50 % and 80 % horizons of runs, by cap, and USD per horizon-hour; no fit."""
    from evalbayes.horizons import run_horizons
    from evalfolio.cli.inputs import read_inputs, tell_anchors

    read, observed = read_inputs(catalogue, observations)
    tell_anchors(read, deciding=False)(observed.human_minutes)
    found = run_horizons(observed, read, ai_model, seed=seed)
    thresholds = {
        spec.name: dict.fromkeys(2.0**each.threshold.mid for each in read.decided(spec.name))
        for spec in read.domains
        if spec.minutes
    }
    summaries = {
        each.domain: each.summary(*thresholds.get(each.domain, ()))
        .rename_axis("figure")
        .reset_index()
        for each in found
    }
    print_json(
        [
            {name: getattr(each, name) for name in ("domain", "ai_model", "runs", "tasks")}
            | {"shortest_task_minutes": each.shortest, "longest_task_minutes": each.longest}
            | {"figures": records(summaries[each.domain]), "by_cap": records(each.by_cap)}
            for each in found
        ]
    )
    for each in found:
        title = (
            f"{each.domain}: {each.ai_model}, {each.runs} runs of {each.tasks} tasks, 90 % "
            "intervals for more tasks of these evals"
        )
        print_table(summaries[each.domain], title)
        if detailed():
            print_table(each.by_cap, "Against the cap in USD, set after the fact (understates)")
            least, most = each.caps
            if most > least * (1.0 + 1e-9):
                say(
                    f"The first table is at the caps that runs had, {cell(least)} to {cell(most)} "
                    "USD; the last row of the second is at the least of them."
                )
