"""Results of studies: a reading of capability, an effect between two arms, or successes in both."""

import numpy as np
import pandas as pd

from evalbayes.observations.rows import ABOVE_0, NUMBER, WHOLE, Rows, Rule

PEOPLE = ("participants_with", "participants_without")
WON = ("successes_with", "successes_without")
# What tells a result, and what must stand beside it.
WAYS = {"reading": (), "effect": PEOPLE, WON[0]: (WON[1], *PEOPLE)}
SOME = Rule(lambda v: (v >= 1) & (v == np.floor(v)), "must be a whole number, 1 or more")
AN_EFFECT = Rule(lambda v: np.abs(v) <= 10, "must be from -10 to 10")
COLUMNS = {
    "reading": (NUMBER, "write capability as the study reads it, in the domain's unit"),
    "sd": (ABOVE_0, "write the sd of all its error, or leave it empty for the catalogue's"),
    "effect": (AN_EFFECT, "write the difference of means in sds between participants"),
    **dict.fromkeys(PEOPLE, (SOME, "write how many took part in that arm")),
    **dict.fromkeys(WON, (WHOLE, "count them again")),
}


def studies_of(rows: Rows) -> pd.DataFrame:
    """Check a table of results of studies and return it typed.

    InputError for the first ten rows that break a rule.
    """
    names = {key: rows.names(key) for key in ("study", "ai_model")}
    cells = {key: rows.numbers(key, rule, mend) for key, (rule, mend) in COLUMNS.items()}
    for won, n in zip(WON, PEOPLE, strict=True):
        rows.refuse(cells[won] > cells[n], won, f"must not be above {n}", "count them again")
    faulty = {row for row, _ in rows.faults}
    for row in (row for row in range(len(rows)) if row not in faulty):
        given = [key for key, values in cells.items() if not np.isnan(values[row])]
        ways = [way for way in WAYS if way in given]
        lacking = [key for way in ways for key in WAYS[way] if key not in given]
        if len(ways) != 1:
            told = f"of reading, effect and {WON[0]}, got {' and '.join(ways) or 'none'}; keep one"
            rows.fault(row, "", f"the result of a study must be told by one {told}")
        elif lacking:
            rows.fault(row, lacking[0], f"must be given beside {ways[0]}, got nothing; fill it in")
        elif "sd" in given and ways != ["reading"]:
            told = f"got {cells['sd'][row]:g}; that of {ways[0]} hangs on participants: empty it"
            rows.fault(row, "sd", f"must stand beside reading alone, {told}")
    frame = pd.DataFrame({**names, **cells})
    frame = frame.assign(**rows.extras(tuple(frame.columns)))
    rows.settle()
    return frame
