"""How much of a long test is run: a quarter of its batches, or all with EVALFOLIO_SLOW=all."""

import os
from collections.abc import Sequence
from typing import TypeVar

Batch = TypeVar("Batch")


def some(batches: Sequence[Batch]) -> Sequence[Batch]:
    """Return every fourth of batches that are alike but for their seeds, or all."""
    return batches if os.environ.get("EVALFOLIO_SLOW") == "all" else batches[::4]
