"""Frozen activations and the gradient loop."""
