"""The domain `vision`: pictures."""
