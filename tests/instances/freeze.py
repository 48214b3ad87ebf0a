"""Freeze instances that are not yet frozen: ``python -m tests.instances.freeze``."""

from __future__ import annotations

import json
import math
from itertools import product

import numpy as np
from tests.instances.library import FROZEN, MADE, fingerprint

from evalfolio.certificates.recording import certificate
from evalfolio.certificates.verifier import verify
from evalfolio.search.certified import Certified
from evalfolio.search.problem import Problem
from evalfolio.search.question import Question

LISTED = 5000  # choices


def optimum(question: Question) -> dict[str, object]:
    """Return the best value of all choices that are listed, or a value and a bound with a proof."""
    problem = Problem(question)
    own = [(-1, *np.flatnonzero(problem.eval_codes == e)) for e in range(len(problem.evals))]
    if math.prod(map(len, own)) <= LISTED:
        best = -np.inf
        for picks in product(*own):
            x = np.zeros(problem.n_options)
            x[[pick for pick in picks if pick >= 0]] = 1.0
            if problem.completed(x) is not None:
                best = max(best, problem.value(x))
        return {"value": best, "bound": best, "by": "listing"}
    for gap in (1e-5, 1e-4, 1e-3)[0 if problem.n_options < 100 else 2 :]:
        found = Certified(gap, time_limit=60).find(question)
        data = certificate(question, found.x, found.bound)
        if "claim" in data:
            break
    verify(data)
    return {"value": data["claim"]["value"], "bound": data["claim"]["bound"], "by": "proof"}


def main() -> None:
    known = json.loads(FROZEN.read_text(encoding="utf-8")) if FROZEN.exists() else {}
    for name, make in MADE.items():
        if name not in known:
            question = make()
            known[name] = {"hash": fingerprint(question)} | optimum(question)
            print(name, known[name], flush=True)
            lines = (f"{json.dumps(name)}: {json.dumps(known[name])}" for name in known)
            FROZEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
