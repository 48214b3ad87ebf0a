"""What `pip install evalfolio` brings: every package with its licence and what it weighs.

    python -m benchmarks.supply

Read from the environment it runs in: evalfolio's requirements, theirs and so on, without extras. It
writes its section of benchmarks/README.md.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from benchmarks.tables import circumstances, table, write_section
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LICENCE = re.compile(r"License :: (?:OSI Approved :: )?(.+)")
LONGEST = 40  # characters: some packages put the whole licence where its name should stand


def needed(name: str, found: dict[str, Distribution]) -> None:
    """Add a package and all it requires, those that are installed."""
    key = canonicalize_name(name)
    if key in found:
        return
    try:
        found[key] = distribution(name)
    except PackageNotFoundError:
        return
    for line in found[key].requires or ():
        asked = Requirement(line)
        if asked.marker is None or asked.marker.evaluate({"extra": ""}):
            needed(asked.name, found)


def licence(package: Distribution) -> str:
    """Return the licence a package states: its expression, its classifiers, or its own words."""
    facts = package.metadata
    stated = facts.get("License-Expression")
    classed = [m[1] for text in facts.get_all("Classifier") or () if (m := LICENCE.match(text))]
    words = (facts.get("License") or "").strip().splitlines()
    short = words[0] if words and len(words[0]) <= LONGEST else ""
    return stated or "; ".join(classed) or short or "not stated in its metadata"


def megabytes(package: Distribution) -> float:
    """Return what a package's files weigh on disk."""
    files = (Path(str(package.locate_file(file))) for file in package.files or ())
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def main() -> None:
    found: dict[str, Distribution] = {}
    needed("evalfolio", found)
    weights = {name: megabytes(package) for name, package in found.items()}
    rows = [
        [f"{found[name].metadata['Name']} {found[name].version}", licence(found[name]), f"{mb:.1f}"]
        for name, mb in sorted(weights.items(), key=lambda pair: -pair[1])
    ]
    body = (
        f"{len(rows)} packages, {sum(weights.values()):,.0f} MB on disk, compiled caches apart.\n\n"
        f"{table(['package', 'licence, as it states', 'MB'], rows)}\n\n"
        f"{circumstances(0, ())}"
    )
    write_section("supply", "What an installation brings", body)


if __name__ == "__main__":
    main()
