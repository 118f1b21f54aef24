"""A benchmark of the benchmark: what it costs beside its peers and beside the least that could be done.

Nothing in `bench` or `tasks` imports this.
"""
