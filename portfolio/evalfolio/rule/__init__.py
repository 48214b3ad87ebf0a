"""The square-root law: how many evals are worth running deep, without an optimiser."""
