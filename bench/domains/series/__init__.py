"""The domain `series`: windows of time series."""
