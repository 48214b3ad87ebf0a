"""Elicitation: what it added where it was tried, and what is still to come."""
