"""Metrics are held against other people's implementations."""
