"""Programmes over time: what to run first, what next, when to stop, and how it ended."""
