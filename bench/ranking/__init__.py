"""Ranking backbones for a task without training."""
