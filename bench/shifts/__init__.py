"""Shifts of test data, by domain: what a model meets that was not like this when it learnt.

Severities are fixed by published sets and by definition, and were never tuned on a score. What is random follows from a
fixed seed and the example itself: the same example is shifted the same way in every cell, batch, order and process.
"""
