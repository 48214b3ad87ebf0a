"""The published JSON schema of `plan.json`."""

from pathlib import Path
from typing import Any

from evalfolio.record.record import Record

SCHEMA_FILE = Path(__file__).with_name("plan.schema.json")
SCHEMA_URL = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of `plan.json`; the file `plan.schema.json` beside this one holds it.

    >>> sorted(json_schema()["required"])[:3]
    ['assumptions', 'budget', 'choices']
    """
    return {"$schema": SCHEMA_URL, **Record.model_json_schema(), "title": "evalfolio plan"}
