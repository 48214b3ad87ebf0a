"""The record of a plan: what `plan.json` holds and every export is written from."""
