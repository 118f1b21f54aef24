"""Linear heads on frozen features, solved to their optimum."""
