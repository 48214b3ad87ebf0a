"""The pictures of the site, drawn from the example: `python docs/figures.py out/cyber`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import evalfolio as ef
from evalbayes import Posterior, curve_grid, curve_table, read_catalogue
from evalfolio.export.plots import CAPPED, FULL, plot_curve, plot_frontier, plot_mix
from evalfolio.objectives.valuation import valuation

HERE = Path(__file__).parent / "figures"
CATALOGUE = Path(__file__).parents[1] / "examples" / "cyber" / "catalogue.toml"


def new(columns: int = 1, height: float = 3.2) -> tuple[Figure, np.ndarray]:
    figure, axes = plt.subplots(
        1, columns, figsize=(7.2, height), layout="constrained", squeeze=False
    )
    for ax in axes[0]:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes[0]


def save(figure: Figure, name: str) -> None:
    plt.rcParams["svg.hashsalt"] = name  # the same file from the same figures
    figure.savefig(HERE / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def main(folder: Path) -> None:
    """Draw every picture from a plan's folder."""
    plt.rcParams.update({"svg.fonttype": "none", "font.size": 9})
    posterior, catalogue = Posterior.load(folder / "posterior.nc"), read_catalogue(CATALOGUE)
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    menu = ef.Menu.load(folder / "menu")

    figure, axes = new(2)
    grid, table = curve_grid(posterior, catalogue), curve_table(posterior, catalogue)
    for ax, name in zip(axes, ("cybench", "cybergym"), strict=True):
        plot_curve(grid, name, table, ax)
        ax.set_title(name, loc="left")
    save(figure, "curves")

    figure, axes = new(2, 2.6)
    tested = posterior.ai_models.index(catalogue.portfolio.ai_model)
    for k, (ax, name) in enumerate(zip(axes, posterior.domains, strict=True)):
        shown, gap = (posterior.draws[of][:, k, tested] for of in ("shown", "gap"))
        bins = np.linspace(np.quantile(shown, 0.002), np.quantile(shown, 0.999) + 3.0, 60)
        ax.hist(shown, bins, density=True, color=FULL, alpha=0.6, label="shown")
        ax.hist(shown + gap, bins, density=True, histtype="step", color=CAPPED, label="elicited")
        ax.axvline(plan["domains"][k]["threshold"], color="0.4", ls=":", label="threshold")
        ax.set(title=name, xlabel="doublings of human task time", yticks=[])
        ax.legend(frameon=False, fontsize="small", loc="upper left")
    save(figure, "shown_and_elicited")

    figure, (ax, other) = new(2)
    covariance, states = menu.prior_covariance, list(menu.states)
    for suffix, colour, axis in ((".gap", CAPPED, ax), (".shown", FULL, other)):
        at = states.index(f"cyber{suffix}")
        places, shares = [plan["domains"][0]["threshold"]], [1.0]
        for k, state in enumerate(states):
            if state.startswith("cyber@") and state.endswith(suffix):
                places.append(float(state.split("@")[1].removesuffix(suffix)))
                sd = np.sqrt(covariance[at, at] * covariance[k, k])
                shares.append(covariance[at, k] / sd)
        order = np.argsort(places)
        axis.plot(np.array(places)[order], np.array(shares)[order], "o-", color=colour)
        axis.axvline(places[0], color="0.4", ls=":")
        axis.set(ylim=(0, 1.05), xlabel="difficulty, log2 of human minutes")
        axis.set_title(f"correlation with {suffix[1:]} at the threshold", fontsize=9)
    save(figure, "distance")

    figure, (ax,) = new()
    gains = pd.read_csv(CATALOGUE.parents[2] / "models/evalbayes/elicitation/gains.csv")
    by = gains.dropna(subset="doublings").groupby("domain")["doublings"]
    names = by.median().sort_values().index.tolist()
    for row, name in enumerate(names):
        values = by.get_group(name)
        ax.plot(values, np.full(len(values), row), "|", color=CAPPED, ms=9)
    ax.set_yticks(range(len(names)), names)
    ax.set_xscale("symlog", linthresh=0.5)
    ax.set(xlabel="published gain, doublings of human task time")
    save(figure, "gains")

    figure, (ax,) = new()
    case = ef.RuleFigures(validity_sd=1.0, gap_sd=0.7, gap_spread=0.5, noise_sd=0.3)
    n = np.arange(1, 31)
    for share, label in ((0.0, "none deep"), (0.2, "one in five deep"), (1.0, "all deep")):
        left = [np.sqrt(ef.left_variance(k, share * k, case)) for k in n]
        ax.plot(n, left, label=label)
    ax.set(xlabel="evals run", ylabel="sd left, doublings", ylim=(0, None))
    ax.legend(frameon=False)
    save(figure, "two_floors")

    figure, axes = new(2)
    values = valuation(menu)
    share = np.linspace(0, 1, 200)
    for ax, worth, row in zip(axes, values.worths, plan["domains"], strict=True):
        ax.plot(share, worth.gain(share) / worth.evpi, color=CAPPED)
        ax.set(title=row["name"], xlabel="share of the variance that results explain")
    axes[0].set_ylabel("share of perfect information")
    save(figure, "worth")

    figure, (ax,) = new()
    points = pd.DataFrame(plan["frontier"]).rename(columns={"usd": "amount"})
    plot_frontier(points, "usd", plan["budget"]["usd"], plan["value"]["evpi"], ax)
    ax.set_xlim(0, 3 * plan["budget"]["usd"])
    save(figure, "frontier")

    figure, (ax,) = new(height=3.6)
    plot_mix(pd.DataFrame(plan["choices"]), ax)
    save(figure, "mix")

    figure, axes = new(2, 2.4)
    for ax, row in zip(axes, plan["domains"], strict=True):
        now = [row["p_missed_now"], row["p_needless_now"]]
        then = [row["p_missed_expected"], row["p_needless_expected"]]
        ax.bar([0, 1], now, 0.38, color=FULL, label="today")
        ax.bar([0.4, 1.4], then, 0.38, color=CAPPED, label="with the plan")
        ax.set_xticks([0.2, 1.2], ["danger missed", "needless mitigation"])
        ax.set(title=row["name"], ylim=(0, 1))
    axes[0].legend(frameon=False, fontsize="small", loc="upper left")
    save(figure, "calls")

    figure, (ax,) = new(height=2.8)
    budgets = np.geomspace(500, 40_000, 9)
    curve = ef.frontier(
        ef.Question(menu, {"usd": float(budgets[-1]), "staff_hours": 240.0}),
        points=budgets.tolist(),
    )  # fmt: skip
    shares = []
    for options in curve.to_frame()["options"]:
        rows = menu.options.loc[list(options)]
        shares.append(rows.loc[rows["tier"] == "max-elicitation", "usd"].sum() / rows["usd"].sum())
    ax.plot(budgets, shares, "o-", color=CAPPED)
    ax.set_xscale("log")
    ax.set(xlabel="budget, USD", ylabel="share of the money on depth", ylim=(0, 1))
    save(figure, "depth")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
