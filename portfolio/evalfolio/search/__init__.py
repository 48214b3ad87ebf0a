"""Search: the best choice within all limits, with a bound on every other."""
