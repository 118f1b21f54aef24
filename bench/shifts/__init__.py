"""Shifts of test data: what a model meets that was not like this when it learnt.

Most are changes that a domain makes to any test examples; a task can bring others, which are examples of another place.

Severities are fixed by published sets and by definition, and were never tuned on a score. What is random follows from a
fixed seed and the example itself: the same example is shifted the same way in every cell, batch, order and process.
"""
