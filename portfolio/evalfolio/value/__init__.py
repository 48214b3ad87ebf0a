"""Value: what results are worth to decisions, as functions of the variance they explain."""
