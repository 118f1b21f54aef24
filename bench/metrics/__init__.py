"""Metrics by kind of target, predictions combined within groups, and metrics in a user's own file.

A metric of examples that do not define it is None, never 0; nan is the score of predictions that are nan themselves.
All are NumPy alone, since scoring repeats for every block of the test split.
"""
