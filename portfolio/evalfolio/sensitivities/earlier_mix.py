"""A mix of an earlier plan, e.g. last year's, on the menu there is now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalbayes import Menu
from evalfolio.errors import InputError
from evalfolio.plans.mix_file import read_mix


def earlier_mix(path: str | Path, menu: Menu) -> tuple[tuple[str, ...], tuple[str, ...]]:
    r"""Return the options of a mix as the menu has them now, and what of it has no counterpart.

    A row whose option is not on the menu any more stands for the option of the same eval and tier
    with the nearest number of tasks (or the first, where the file has no tasks). InputError if the
    file cannot be read, names nothing, or nothing of it is on the menu.

    Parameters
    ----------
    path
        CSV or .xlsx with a column `option`, or with `eval` and `tier`: e.g. an old mix.csv.
    menu
        The menu to find them on.

    Examples
    --------
    >>> import tempfile
    >>> from evalfolio.examples import small_menu
    >>> file = Path(tempfile.mkdtemp()) / "mix.csv"
    >>> _ = file.write_text("eval,tier\na,plateau\nz,plateau\n")
    >>> earlier_mix(file, small_menu())
    (('a plateau',), ('z (plateau)',))
    """
    path = Path(path)
    table = read_mix(path)
    if "option" not in table and not {"eval", "tier"} <= set(table.columns):
        raise InputError(
            f"{path}: must have a column 'option', or 'eval' and 'tier', got "
            f"{', '.join(map(str, table.columns))}; start from a plan's mix.csv"
        )
    chosen: dict[str, str] = {}
    missing = []
    for row in table.to_dict("records"):
        option = _counterpart(menu, {str(key): value for key, value in row.items()})
        if option is None:
            missing.append(
                f"{row['eval']} ({row['tier']})" if "eval" in row else str(row["option"])
            )
        else:
            chosen[str(menu.options.loc[option, "eval"])] = option
    if not chosen:
        raise InputError(
            f"{path}: at least one row must be on the menu, but none is; "
            "name options, or evals and tiers, as the menu does"
        )
    return tuple(chosen.values()), tuple(missing)


def _counterpart(menu: Menu, row: dict[str, object]) -> str | None:
    if "option" in row and str(row["option"]) in menu.options.index:
        return str(row["option"])
    if not {"eval", "tier"} <= set(row):
        return None
    like: Sequence[bool] = (
        (menu.options["eval"] == row["eval"]) & (menu.options["tier"] == row["tier"])
    ).tolist()
    same = menu.options[like]
    if same.empty:
        return None
    tasks = row.get("tasks")
    if "tasks" in same and isinstance(tasks, float) and tasks == tasks:
        return str((same["tasks"].astype(float) - tasks).abs().idxmin())
    return str(same.index[0])
