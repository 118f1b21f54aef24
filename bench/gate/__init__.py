"""Judges results against earlier ones: what two folders share, what changed for the worse, and since when."""
