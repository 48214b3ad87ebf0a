"""`evalfolio schedule`: how often to look and how deep, and when each level is crossed."""

from __future__ import annotations

from evalfolio.cli import forecast as told
from evalfolio.cli import options as shared
from evalfolio.cli.console import step


def schedule(
    plan: told.PlanArgument,
    scenario: told.ScenarioOption = None,
    presets: told.PresetsOption = None,
    out: told.OutOption = None,
    seed: shared.SeedOption = 0,
) -> None:
    """Find by domain how often to look and how deep, beside rules, and when levels are crossed."""
    from evalfolio.cli.inputs import plan_folder
    from evalfolio.outlook.presets import read_presets
    from evalfolio.outlook.told import schedule as make

    read = read_presets(presets, scenario)
    with step("trying how often to look"):
        found = make(plan_folder(plan), read, seed=seed)
    told.show(found, plan, "schedule", out, presets)
