"""Charts: what is drawn, and where it stands on the paper."""
