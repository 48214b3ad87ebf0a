"""How a run may end."""

from __future__ import annotations

OUTCOMES = {
    "success": "it succeeded, also a little past the cap",
    "gave_up": "it submitted a wrong answer or stopped by itself",
    "stopped_by_cap": "the cap on spend stopped it",
    "stopped_otherwise": "a limit on time or messages, or an operator, stopped it",
    "spurious": "a broken environment, a refusal or formatting stopped it, found on review",
    "excluded": "an error or a reward hack: counted, never used",
}
CENSORED_ELSEWHERE = ("stopped_otherwise", "spurious")  # censored at the run's own spend
UNTOLD = ("spurious", "excluded")  # say nothing of whether the task can be solved
OVERSHOOT = 1.1  # caps are checked between calls, so real runs pass them by up to a tenth
