"""Summaries: what a posterior says of every eval and domain, as tables."""
