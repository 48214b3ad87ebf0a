"""`evalfolio check`: read the inputs back in words, without fitting anything."""

from evalfolio.cli import options as shared
from evalfolio.cli.console import detailed, print_json, print_table, records, say, step


def check(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    posterior: shared.PosteriorOption = None,
) -> None:
    """Say what the inputs mean, what is missing, assumed and implied; a second or two, no fit.

    With a stored fit it plans under either end of every assumed figure, in minutes, and names the
    five of those nobody gave that move the plan most, and what to measure or whom to ask.
    """
    from evalbayes.catalogue import read_catalogue
    from evalbayes.inputs import check_covered, check_inputs
    from evalbayes.observations import read_observations

    read = read_catalogue(catalogue)
    observed = read_observations(observations or [], read)
    report = check_inputs(read, observed)
    first = None
    if posterior is not None:
        from evalbayes.menus import build_menu
        from evalfolio.cli.inputs import posterior_of
        from evalfolio.recommendations.recommender import question_of, tipping_of
        from evalfolio.sensitivities.basis import Basis

        _, belief = posterior_of(read, None, posterior, seed=0)
        with step("planning under either end of every figure"):
            question = question_of(read, build_menu(belief, read, with_draws=False)[0])
            first = tipping_of(Basis(question, read, belief)).find_out_first()
    print_json(
        no_anchor=dict(report.no_anchor),
        lines=list(report.lines),
        missing=list(report.missing),
        warnings=list(report.warnings),
        domains=records(report.domains.reset_index()),
        evals=records(report.evals.reset_index()),
        assumptions=report.to_frame().to_dict("records"),
        **({} if first is None else {"find_out_first": records(first)}),
    )
    for line in report.lines:
        say(line)
    if detailed():
        table = report.to_frame()
        places = table["where"].str.count("; ") + 1
        table["where"] = table["where"].where(places <= 3, places.astype(str) + " places")
        print_table(table, "Assumptions: figures nobody gave")
    if first is not None:
        print_table(first, "Find out first: of what nobody gave, what moves the plan most")
    check_covered(read, observed)
