"""`evalfolio check`: read the inputs back in words, without fitting anything."""

from evalfolio.cli import options as shared
from evalfolio.cli.console import print_json, print_table, records, say


def check(
    catalogue: shared.CatalogueArgument,
    observations: shared.ObservationsArgument = None,
    quiet: shared.QuietOption = False,
    as_json: shared.JsonOption = False,
) -> None:
    """Say what the inputs mean, what is missing, assumed and implied; a second or two, no fit."""
    from evalbayes.catalogue import read_catalogue
    from evalbayes.inputs import check_covered, check_inputs
    from evalbayes.observations import read_observations

    read = read_catalogue(catalogue)
    observed = read_observations(observations or [], read)
    report = check_inputs(read, observed)
    if as_json:
        print_json(
            {
                "no_anchor": dict(report.no_anchor),
                "lines": list(report.lines),
                "missing": list(report.missing),
                "warnings": list(report.warnings),
                **{
                    name: records(frame.reset_index())
                    for name, frame in (("domains", report.domains), ("evals", report.evals))
                },
                "assumptions": report.to_frame().to_dict("records"),
            }
        )
    for line in () if as_json else report.lines:
        say(line)
    if not quiet and not as_json:
        table = report.to_frame()
        table["where"] = table["where"].map(shortened)
        print_table(table, "Assumptions: figures nobody gave")
    check_covered(read, observed)


def shortened(places: str, most: int = 3) -> str:
    """Return a list of places as it is, or only their number where it is long.

    >>> shortened("eval 'a'; level 'b, High'"), shortened("a; b; c; d")
    ("eval 'a'; level 'b, High'", '4 places')
    """
    count = len(places.split("; "))
    return places if count <= most else f"{count} places"
