"""Certificates: what a plan claims, with a proof of it that others can check."""
