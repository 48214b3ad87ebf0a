"""The plan as data: `plan.json`."""

from __future__ import annotations

import json
from pathlib import Path

from evalbayes.whole import whole_file
from evalfolio.record.record import Record
from evalfolio.record.schema import checked


def write_plan_json(record: Record, path: str | Path) -> Path:
    """Write `plan.json`, whole or not at all; return its path.

    It follows the published schema, `plan.schema.json` in this package. No number is NaN or
    infinite, and text is kept as it is in UTF-8.
    """
    text = json.dumps(checked(record), indent=2, ensure_ascii=False, allow_nan=False)
    with whole_file(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
    return Path(path)
