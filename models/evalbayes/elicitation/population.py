r"""What elicitation adds, over studies: a random-effects model of published measurements.

Doublings measured in row r of study j, domain d:

    y_r ~ N(g_r, se_r²),  ln g_r = ln √(S_r² + B_r²) + σ_a·a_d + σ_b·b_j + σ_c/√n_r·c_r

S = W·e(h)·exp(κ·[no tools])·exp(ρ·[record]) is what staff added: the whole gap W and the dose
e(h) = h/(h + H), half of the whole after H hours, with h as stated or typical of the lever, within
a factor. B is what the inference budget added: r·exp(γ·(year − 2025.5)) for every doubling of
tokens or time; V·(log₂ k)^q for k attempts chosen by an answer key; what a vote of 64 without one
adds. Levers pulled together combine as √(S² + B²), 0.7 of the sum of two equal ones (0.5 to 0.9 is
published). n is how many AI models a row is the mean of. The population's gap δ is W with the
effects of a new study and AI model: positive and skewed, domains of few studies near the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from evalbayes.arrays import Array
from evalbayes.elicitation.measurements import HOURS
from evalbayes.errors import FitError

YEAR = 2025.5
HOURS_SD, HOURS_SD_STATED = 0.7, 0.05  # of ln hours: a factor of three either way, or as stated
MULTIPLIER, MULTIPLIER_SD = 3.0, 1.0  # log2 of tokens or attempts where a study does not say
VOTES = 6.0  # log2 of the 64 votes that were measured
ATTEMPTS = 8  # what an actor with a verifier is taken to try: more add little
ANCHORS = {"repaired": 16.0, "two to three engineer-weeks": 100.0}  # staff hours
EVERYWHERE = "all domains"
QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}
PARAMETERS = ("whole", "half", "no_tools", "record", "tokens", "newer", "second", "power", "vote")
SPREADS = ("domain_sd", "study_sd", "row_sd")


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value
class Population:
    """Draws of the model's parameters by name, (n_draws, ...), with what they were learned from."""

    draws: Mapping[str, Array]
    table: pd.DataFrame
    seed: int

    def gap(self, domain: str | None, *, verifier: bool = False, tools: bool = True) -> Array:
        """Draw the gap of a new AI model in a new study, (n_draws,).

        A domain that was not measured, or None, is a new one. With a verifier the actor can tell a
        success, so that the best of `ATTEMPTS` adds to it; `tools` says whether the agent it is
        measured from has any.
        """
        rng = np.random.default_rng(self.seed)
        d, names = self.draws, sorted(self.table["domain"].unique())
        n = len(d["whole"])
        own, fresh = rng.standard_normal((2, n))
        if domain in names:
            own = d["domain"][:, names.index(str(domain))]
        staff = d["whole"] + (0.0 if tools else d["no_tools"])
        budget = np.exp(d["second"]) * np.log2(ATTEMPTS) ** d["power"] if verifier else 0.0
        spread = np.hypot(d["study_sd"], d["row_sd"]) * fresh
        return np.asarray(np.hypot(np.exp(staff), budget) * np.exp(d["domain_sd"] * own + spread))

    def priors(self) -> pd.DataFrame:
        """Return the gap by domain, verifier and baseline: 90 % interval, studies, measurements."""
        rows = []
        for name in (*sorted(self.table["domain"].unique()), EVERYWHERE):
            own = self.table[self.table["domain"] == name] if name != EVERYWHERE else self.table
            seen = {"studies": own["study"].nunique(), "measurements": len(own)}
            for verifier, tools in product((False, True), (True, False)):
                drawn = self.gap(name, verifier=verifier, tools=tools)
                asked = {"domain": name, **seen, "verifier": verifier, "tools": tools}
                rows.append({**asked, **_interval(drawn), "mean": float(drawn.mean())})
        return pd.DataFrame(rows)

    def axes(self) -> pd.DataFrame:
        """Return the two axes as figures with 90 % intervals: staff effort, inference budget."""
        d = self.draws
        half = np.exp(d["half"])
        rng = np.random.default_rng(self.seed)
        spread = np.hypot(d["study_sd"], d["row_sd"]) * rng.standard_normal(len(half))
        figures = {
            "hours to half of the gap": half,
            **{f"effort, {name}": hours / (hours + half) for name, hours in ANCHORS.items()},
            "doublings per doubling of tokens": np.exp(d["tokens"] + spread),
            "factor on it by year of release": np.exp(d["newer"]),
            "doublings of a second attempt": np.exp(d["second"]),
            "power of further attempts": d["power"],
            "doublings of 64 votes": np.exp(d["vote"]),
        }
        return pd.DataFrame([{"figure": key, **_interval(v)} for key, v in figures.items()])

    def to_toml(self) -> str:
        """Return the priors and axes as `evalbayes.catalogue.population` reads them."""
        made = {"seed": self.seed, "date": str(date.today()), "pymc": version("pymc")}
        lines = [
            "# Population prior of the elicitation gap, by `evalfolio gains`; not to be edited.",
            *(f"{key} = {value!r}".replace("'", '"') for key, value in made.items()),
        ]
        for table, kind in ((self.axes(), "axis"), (self.priors(), "gap")):
            rows = [
                ", ".join(f"{key} = {_toml(value)}" for key, value in row.items())
                for row in table.to_dict("records")
            ]
            lines += [f"{kind} = [", *(f"  {{ {row} }}," for row in rows), "]"]
        return "\n".join(lines) + "\n"


def fit_gains(
    table: pd.DataFrame, *, seed: int = 0, draws: int = 2000, tune: int = 1500, chains: int = 4
) -> Population:
    """Fit the model to measurements, as `read_gains` gives them; some 40 s on two cores."""
    from evalbayes.model import sampling  # loads PyMC

    found = sampling.sample(
        program_of(table), seed=seed, draws=draws, tune=tune, chains=chains, cores=None
    )
    told = np.stack([found.draws[name] for name in (*PARAMETERS, *SPREADS)], axis=-1)
    r_hat, bulk, tail = sampling.convergence(told)
    effective, divergent = min(bulk.min(), tail.min()), found.divergences
    if r_hat.max() > 1.01 or effective < 400 or divergent > told.size / (1e3 * told.shape[-1]):
        raise FitError(
            f"the model of measurements must pass its gate, got R-hat {r_hat.max():.3f}, "
            f"{effective:.0f} effective draws and {divergent} divergences; draw more, or drop "
            "measurements that contradict each other"
        )
    return population_of(found.draws, table, seed)


def population_of(draws: Mapping[str, Array], table: pd.DataFrame, seed: int) -> Population:
    """Return draws of the model, (chains, draws, ...), as what they say of the population."""
    n = draws["whole"].size  # spelt out: where no study is vague about its tokens, an axis is empty
    flat = {name: value.reshape(n, *value.shape[2:]) for name, value in draws.items()}
    return Population(flat, table, seed)


def program_of(table: pd.DataFrame) -> Any:
    """Compile the model; its data `se` may be exchanged, so that rows can be left out.

    `gain` among the draws is g of every row: one whose se is huge is foretold, not fitted.
    """
    from evalbayes.model import sampling
    from evalbayes.model.sampling import pm, pt

    j, studies = pd.factorize(table["study"], sort=True)
    d, domains = pd.factorize(table["domain"], sort=True)
    n, lever = len(table), table["lever"].to_numpy()
    staff = np.isin(lever, list(HOURS))
    stated = table["staff_hours"].notna().to_numpy()
    hours = table["staff_hours"].fillna(table["lever"].map(HOURS)).fillna(1.0).to_numpy()
    given = table["multiplier"].notna().to_numpy()
    doublings = np.where(given, np.log2(table["multiplier"].fillna(2.0)), MULTIPLIER)
    chosen = table["verifier"].to_numpy()
    spent = ~chosen & ((lever == "spend") | ((lever == "several") & given))
    voted = ~chosen & (lever == "attempts")
    age = (table["released"].fillna(YEAR) - YEAR).to_numpy()
    with pm.Model() as model:
        whole, half = pm.Normal("whole", np.log(1.5), 0.7), pm.Normal("half", np.log(60.0), 0.7)
        no_tools, record = pm.Normal("no_tools", 1.0, 0.7), pm.HalfNormal("record", 0.4)
        tokens, newer = pm.Normal("tokens", np.log(0.35), 0.5), pm.Normal("newer", 0.2, 0.3)
        second, power = pm.Normal("second", np.log(1.2), 0.5), pm.Beta("power", 5.0, 2.5)
        vote = pm.Normal("vote", np.log(0.5), 0.7)
        between, split = pm.HalfNormal("between", 0.6), pm.Beta("split", 2.0, 2.0)
        domain_sd = pm.HalfNormal("domain_sd", 0.5)
        study_sd = pm.Deterministic("study_sd", between * pt.sqrt(split))
        row_sd = pm.Deterministic("row_sd", between * pt.sqrt(1.0 - split))
        of_domain, of_study, of_row = (
            pm.Normal(name, 0.0, 1.0, shape=size)
            for name, size in (("domain", len(domains)), ("study", len(studies)), ("row", n))
        )
        luck = np.where(stated, HOURS_SD_STATED, HOURS_SD)[staff]
        luck = pt.zeros(n)[staff].set(luck * pm.Normal("hours", 0.0, 1.0, shape=int(staff.sum())))
        spent_hours = pt.exp(np.log(hours) + luck)
        added = staff * spent_hours / (spent_hours + pt.exp(half))
        added *= pt.exp(whole + no_tools * ~table["tools"].to_numpy() + record * table["record"])
        vague = ~given & (spent | chosen | voted)
        luck = MULTIPLIER_SD * pm.Normal("ups", 0.0, 1.0, shape=int(vague.sum()))
        ups = pt.maximum(pt.as_tensor(doublings)[vague].inc(luck), 0.05)
        budget = spent * pt.exp(tokens + newer * age) * ups
        budget += chosen * pt.exp(second) * ups**power
        budget += voted * pt.exp(vote) * (ups / VOTES) ** power
        effect = domain_sd * of_domain[d] + study_sd * of_study[j]
        effect += row_sd / np.sqrt(table["ai_models"].to_numpy()) * of_row
        gain = pt.sqrt(added**2 + budget**2 + 1e-12) * pt.exp(effect)
        pm.Deterministic("gain", gain)
        se = pm.Data("se", table["se"].to_numpy())
        pm.Normal("measured", gain, se, observed=table["doublings"].to_numpy())
    return sampling.compiled(model, "study_sd", "row_sd", "gain")


def _interval(draws: Array) -> dict[str, float]:
    return {key: float(np.quantile(draws, q)) for key, q in QUANTILES.items()}


def _toml(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:.3g}"
