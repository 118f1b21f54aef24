"""Ways to execute pending cells: in this process, or in several on this machine.

An executor takes packs of cells and yields a `CellOutput` for each cell, in any order. The tensor library is imported
where cells are run and nowhere else, so that a run with nothing to do, a dry run or a listing answers at once.
"""
