"""`evalfolio conclude`: how a programme ended."""

import json
from pathlib import Path

from evalfolio.cli import options as shared
from evalfolio.cli.console import console, detailed, print_json, say, step


def conclude(
    plan: shared.ProgrammeArgument,
    results: shared.ResultsArgument = None,
    out: shared.OutOption = Path("conclusion"),
    history: shared.HistoryOption = None,
    allow_failed_fit: shared.AllowFailedFitOption = False,
) -> None:
    """Close a programme: the call by decision, what was promised and found, what surprised."""
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.errors import FitError
    from evalfolio.programmes.concluding import conclude as make
    from evalfolio.programmes.concluding import write_conclusion
    from evalfolio.programmes.programme import Programme

    programme, files = Programme.load(plan_folder(plan)), list(results or [])
    with step("weighing all results"):
        found = make(programme, files, history=list(history or []))
    folder = write_conclusion(found, programme, files, out)
    print_json(json.loads((folder / "conclusion.json").read_text()))
    say(found)
    if detailed():
        console(stderr=True).print(f"wrote {folder}/", markup=False)
    if found.failed and not allow_failed_fit:
        raise FitError(
            f"the fit fails its gate: {'; '.join(found.failed)}; what was written says so in its "
            "first line; begin from a better fit, or --allow-failed-fit"
        )
