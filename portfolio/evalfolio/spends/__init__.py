"""Spends that need not be whole runs: one budget split over curves of value, with a bound."""
