"""Tuning recipes: one procedure of the same effort for every strategy, on other data than those they are used for."""
