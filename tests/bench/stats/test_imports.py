"""Statistics answer at once: what takes long to import stays out."""

import subprocess
import sys


def test_neither_scipys_statistics_nor_its_optimisers_are_imported() -> None:
    asked = "import sys, bench.stats; sys.exit(bool({'scipy.stats', 'scipy.optimize', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
