"""What evaluations will cost over the years, how often to look, and when levels are crossed."""
