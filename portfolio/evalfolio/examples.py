"""A small menu for the examples in docstrings, and the published examples to start from."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from evalbayes import Decision, Menu, SharedPurchase
from evalbayes.catalogue.writing import write_commented
from evalbayes.names import refuse_other
from evalbayes.whole import write_whole
from evalfolio.errors import InputError

RESULTS = ("cyber_cells.csv", "metr_counts.csv")  # of both published examples


def write_example(name: str, path: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Write a published example's catalogue, its results beside it; return where these are.

    The name is cyber or portfolio, the path of the catalogue ends in .toml or .xlsx.
    """
    shipped, here = Path(str(files("evalfolio"))) / "published", Path(__file__).parents[2]
    root = shipped if shipped.is_dir() else here / "examples"
    names = ("cyber", "portfolio")
    refuse_other(name, names, f"--example must be {' or '.join(names)}")
    text = (root / name / "catalogue.toml").read_text("utf-8")
    results = tuple(path.with_name(each) for each in RESULTS)
    for each in results:
        if each.exists() and not force:
            raise InputError(
                f"{each}: must not exist yet: the example's results are written beside {path}; "
                "give another folder, or --force to replace it"
            )
    write_commented(text, path)
    for each in results:
        write_whole(each, (root / "cyber" / each.name).read_bytes())
    return results


def small_menu() -> Menu:
    """Return a menu of three evals in two domains, two of them with a max-elicitation option.

    Examples
    --------
    >>> list(small_menu().options.index)
    ['a plateau', 'a max', 'b plateau', 'b max', 'c plateau']
    """
    rows = [
        ("a plateau", "a", "cyber", "plateau", 500.0, 4.0),
        ("a max", "a", "cyber", "max-elicitation", 9_000.0, 80.0),
        ("b plateau", "b", "cyber", "plateau", 600.0, 4.0),
        ("b max", "b", "cyber", "max-elicitation", 7_000.0, 60.0),
        ("c plateau", "c", "autonomy", "plateau", 900.0, 8.0),
    ]
    options = pd.DataFrame(
        rows, columns=["option", "eval", "domain", "tier", "usd", "staff_hours"]
    ).set_index("option")
    shown = np.outer([1.0, 0.0, 0.0], [1.0, 0.0, 0.0])
    deep = np.array([[1.0, 0.8, 0.0], [0.8, 0.64, 0.0], [0.0, 0.0, 0.0]])
    other = np.diag([0.0, 0.0, 1.0])
    information = np.array(
        [0.8 * shown, 0.8 * shown + 1.5 * deep, 0.6 * shown, 0.6 * shown + 1.2 * deep, 0.7 * other]
    )
    return Menu(
        options=options,
        resources=("usd", "staff_hours"),
        information=information,
        states=("cyber.shown", "cyber.gap", "autonomy.shown"),
        prior_mean=np.array([7.0, 1.0, 6.0]),
        prior_covariance=np.diag([1.5, 0.6, 1.2]),
        decisions=(
            Decision("cyber", np.array([1.0, 1.0, 0.0]), 9.0, 4.0, 1.0),
            Decision("autonomy", np.array([0.0, 0.0, 1.0]), 9.0, 2.0, 1.0, 0.5, 0.3),
        ),
    )


def sharing_menu() -> Menu:
    """Return the small menu where one scaffold serves both max-elicitation options.

    >>> print(sharing_menu().shared[0])
    scaffold: usd 1,000, staff_hours 50, needed by 2 options
    """
    menu = small_menu()
    left = menu.options.assign(staff_hours=[4.0, 30.0, 4.0, 10.0, 8.0])
    scaffold = SharedPurchase("scaffold", {"usd": 1_000.0, "staff_hours": 50.0}, ("a max", "b max"))
    return replace(menu, options=left, shared=(scaffold,))
