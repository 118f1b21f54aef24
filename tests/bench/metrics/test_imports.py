"""Metrics are computed wherever reports are: no library that takes long to import comes along."""

import subprocess
import sys


def test_metrics_import_numpy_alone() -> None:
    modules = "classes, forecast, grouping, labels, own, tags, value"
    slow = "{'pandas', 'scipy', 'seqeval', 'sklearn', 'torch'}"
    asked = f"import sys; from bench.metrics import {modules}; sys.exit(len({slow} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
