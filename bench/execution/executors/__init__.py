"""Ways to execute pending cells: in this process, or in several on this machine.

An executor is a function of jobs, the number of `workers` and the `settings` of their engines, and yields a
`CellOutput` for each cell, in any order; installed packages add theirs under the entry point `bench.executors`. The
tensor library is imported where cells are run and nowhere else, so that a run with nothing to do, a dry run or a
listing answers at once.
"""
