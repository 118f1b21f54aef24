"""What a process may take of the machine, if it is told nothing else."""

from typing import Final

DEFAULT_MEMORY_BYTES: Final = 2**30
"""How much of the examples of a task a process holds."""
