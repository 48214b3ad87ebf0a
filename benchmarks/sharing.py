"""Few or many, where what is built once for several evals is paid once, and where each pays alone.

    python -m benchmarks.sharing POSTERIOR.nc

The six-domain example on one fit (`evalfolio fit examples/portfolio/catalogue.toml ...`): its
`[[elicitation]]` tables as they are, and every option charged for all that it needs. Writes its
section of the benchmarks' README.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from benchmarks.tables import circumstances, table, write_section

from evalbayes import Menu
from evalbayes.catalogue import read_catalogue
from evalbayes.menus import build_menu
from evalbayes.posterior.posterior import Posterior
from evalfolio.limits.amount import tier_share
from evalfolio.plans.optimiser import explained
from evalfolio.recommendations.recommender import question_of
from evalfolio.search import Certified

CATALOGUE = Path(__file__).parents[1] / "examples" / "portfolio" / "catalogue.toml"
DEEP, SEED = "max-elicitation", 0


def each_alone(menu: Menu) -> Menu:
    """Return a menu whose every option pays for all that it needs, whoever else bought it."""
    drawn, n, k = menu.draws_with_shared, len(menu), len(menu.shared)
    if drawn is not None:
        drawn = drawn[:, :n] + np.einsum("ok,dkr->dor", menu.needs, drawn[:, n : n + k])
    options = menu.options.assign(**dict(zip(menu.resources, menu.costs_alone.T, strict=True)))
    return replace(menu, options=options, shared=(), resource_draws=drawn)


def main(path: str) -> None:
    """Plan both and write the table."""
    catalogue = read_catalogue(CATALOGUE)
    menu, _ = build_menu(Posterior.load(path), catalogue, seed=SEED)
    columns = []
    for own in (each_alone(menu), menu):
        start = time.process_time()
        plan = explained(Certified().find(question_of(catalogue, own)))
        took, chosen = time.process_time() - start, plan.choices
        used = dict(
            zip(own.resources, own.use_of(own.options.index.isin(plan.chosen)), strict=True)
        )
        staff = {name: hours for name, hours in used.items() if name.startswith("staff_hours")}
        spent = sum(staff.values())
        deep = sum(tier_share(own, plan.chosen, DEEP, name) * staff[name] for name in staff)
        columns.append(
            [
                f"{(chosen['tier'] == DEEP).sum()} of {len(plan.chosen)}",
                f"{tier_share(own, plan.chosen, DEEP):.0%}",
                f"{deep / spent:.0%}",
                f"{spent:,.0f}",
                f"{plan.value:.3g} ({plan.gap:.2%})",
                f"{len(own.shared)}",
                f"{took:.1f} s",
            ]
        )
    names = ("options at max elicitation", "share of USD on them", "share of staff hours on them")
    names += (
        "staff hours, of all kinds",
        "value (gap proved)",
        "shared purchases on the menu",
        "search, CPU",
    )
    lines = [list(row) for row in zip(names, *columns, strict=True)]
    body = (
        f"{circumstances(SEED, ('numpy', 'highspy'))}\n\n"
        + table(["six-domain example", "each eval pays alone", "shared once"], lines)
        + "\n\n`python -m benchmarks.sharing POSTERIOR.nc`"
    )
    write_section("sharing", "Few or many, with what is shared and without", body)
    print(body)


if __name__ == "__main__":
    main(sys.argv[1])
