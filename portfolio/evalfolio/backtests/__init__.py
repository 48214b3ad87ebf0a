"""Back-test: runs that were made anyway, bought again by one strategy or another."""
