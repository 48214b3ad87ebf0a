"""The search as a convex programme in cvxpy: options in part, G as its concave envelope."""
