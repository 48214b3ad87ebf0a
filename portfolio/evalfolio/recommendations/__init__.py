"""Recommendations: a plan from a posterior, its record, and judgements of what was planned."""
