"""Plans: a question answered and explained, beside what else the budget could have bought."""
