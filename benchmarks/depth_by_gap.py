"""How much of the money goes to max elicitation as the elicitation gap's range widens from 0.

    python benchmarks/depth_by_gap.py POSTERIOR.nc

The example of `make demo` planned again with both ends of every domain's elicitation gap multiplied
by a factor; POSTERIOR.nc is the demo's (out/cyber/posterior.nc). No observation of the example was
elicited, so the gap is prior only, and a range multiplied by a factor is draws multiplied by it: no
new fit is needed. Prints the table that stands in the README.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from evalbayes.catalogue import read_catalogue
from evalbayes.posterior.posterior import Posterior
from evalfolio.limits.amount import tier_share
from evalfolio.narrative import percent
from evalfolio.recommendations.recommender import recommend

CATALOGUE = Path(__file__).parents[1] / "examples" / "cyber" / "catalogue.toml"
FACTORS = (0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
SMALLEST = 1e-3  # stands for 0: the gap stays a positive number


def main() -> None:
    posterior = Posterior.load(sys.argv[1])
    catalogue = read_catalogue(CATALOGUE)
    gap = catalogue.domain("cyber").gap
    print("| range of the gap, cyber | share of USD on max elicitation | deep evals |")
    print("| --- | --- | --- |")
    for factor in FACTORS:
        draws = dict(posterior.draws)
        draws["gap"] = draws["gap"] * max(factor, SMALLEST)
        believed = replace(posterior, draws=draws)
        plan = recommend(catalogue, None, believed, frontier_points=0, sensitivity=False).plan
        deep = int((plan.choices["tier"] == "max-elicitation").sum())
        share = percent(tier_share(plan.menu, plan.chosen, "max-elicitation")) if deep else "0 %"
        low, high = gap.low * factor, gap.high * factor
        print(f"| {low:.2g} to {high:.2g} | {share} | {deep} of {len(plan.chosen)} |", flush=True)


if __name__ == "__main__":
    main()
