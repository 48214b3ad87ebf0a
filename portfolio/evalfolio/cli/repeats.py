"""`evalfolio repeats`: best-of-k of an eval, and the best split of a spend into attempts."""

from typing import Annotated

from typer import Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import cell, print_json, print_table, records, say
from evalfolio.cli.curves import ModelOption
from evalfolio.narrative import two_digits

WORTH_SAYING = 0.02  # share solved by guesses


def repeats(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    name: Annotated[str, Option("--eval", help="Name of the eval.")] = "",
    total: Annotated[
        str | None, Option("--spend", help="Total per task in the spend unit; by default max_cap.")
    ] = None,
    posterior: shared.PosteriorOption = None,
    ai_model: ModelOption = None,
    seed: shared.SeedOption = 0,
    allow_failed_fit: shared.AllowFailedFitOption = False,
) -> None:
    """Show what best-of-k solves, and how a spend per task is best split into k attempts."""
    from evalbayes.catalogue import read_catalogue
    from evalbayes.repeats import repeats_of
    from evalfolio.cli.inputs import enforce_gate, posterior_of
    from evalfolio.errors import InputError

    if not name:
        raise InputError("--eval must name an eval of the catalogue, got nothing; add --eval NAME")
    limit = None if total is None else shared.figure("--spend", total)
    read = read_catalogue(catalogue)
    _, belief = posterior_of(read, observations, posterior, seed=seed)
    spec = read.eval(name)
    found = repeats_of(belief, read, name, ai_model, seed=seed)
    spend = spec.max_cap if limit is None else limit
    table, splits = found.pass_table(), found.splits(spend)
    best = found.best(spend)
    print_json(
        eval=name,
        ai_model=found.ai_model,
        rests_on=found.source,
        spend=spend,
        spend_unit=spec.spend_unit,
        best=best.to_dict(),
        best_of_k=records(table),
        splits=records(splits),
    )
    print_table(table, f"Best of k on {name} by {found.ai_model}: share of tasks solved")
    shares = splits.pivot_table(index="length", columns="attempts", values="solved")
    shares.columns = [f"k = {k}" for k in shares.columns]
    unit = spec.spend_unit
    print_table(
        shares.reset_index().rename(columns={"length": f"{unit} each"}),
        "Share solved by k attempts of one length (the whole map)",
    )
    each = f"{cell(float(best['length']))} {unit}"
    say(
        f"Best split of {cell(float(spend))} {unit} per task: {int(best['attempts'])} "
        f"attempt{'' if best['attempts'] == 1 else 's'} of {each} each solve "
        f"{two_digits(best['solved'])} [{two_digits(best['solved_low'])}, "
        f"{two_digits(best['solved_high'])}] of the tasks. It rests on {found.source}, "
        "and supposes that how long a success takes does not hang on how likely it is."
    )
    k = int(best["attempts"])
    guessed = float((1.0 - found.solvable.wrong**k).mean())
    if guessed > WORTH_SAYING:
        say(
            f"Guesses alone solve {guessed:.0%} of tasks in {k} attempt{'' if k == 1 else 's'} "
            "that run to their end: that part shows no capability."
        )
    if not spec.verifier or spec.resettable < 1.0:
        fair = spec.resettable if spec.verifier else 0.0
        say(f"Best-of-k is counted on the {fair:.0%} of tasks where it is fair.")
    enforce_gate(belief, allowed=allow_failed_fit)
