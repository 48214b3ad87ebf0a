"""Targets: the least programme that meets them, and which to give up where not all can be."""
