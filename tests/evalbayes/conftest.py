import copy
from collections.abc import Callable
from typing import Any

import pytest

Data = dict[str, Any]

BASE: Data = {
    "portfolio": {"ai_model": "Model A", "horizon_months": 6},
    "budget": {"usd": 1000, "staff_hours": 100},
    "domain": [
        {"name": "cyber", "threshold_human_time": "8 h"},
        {"name": "persuasion", "threshold": 2.0, "unit": "sd of human persuaders"},
    ],
    "eval": [
        {
            "name": "cybench",
            "domain": "cyber",
            "tasks": 38,
            "human_minutes": 42,
            "usd_per_run": [5, 40],
        },
        {
            "name": "dialogue",
            "domain": "persuasion",
            "tasks": 60,
            "difficulty": [-0.5, 1.0],
            "usd_per_run": [8, 30],
        },
    ],
}


@pytest.fixture
def data() -> Data:
    """Tables of a small catalogue, free to be changed."""
    return copy.deepcopy(BASE)


@pytest.fixture
def with_entry(data: Data) -> Callable[..., Data]:
    """Change one entry: with_entry("eval", 0, "tasks", 3)."""

    def change(*path: Any) -> Data:
        *steps, key, value = path
        table: Any = data
        for step in steps:
            table = table.setdefault(step, {}) if isinstance(table, dict) else table[step]
        if value is ...:
            del table[key]
        else:
            table[key] = value
        return data

    return change
