"""The contract tests, for plug-ins to run in suites of their own: what is added is held to what is built in.

Each `check_…` asserts all that something is held to, and raises `AssertionError` for what it does not keep. The tables
`…_CHECKS` hold the single checks, so that a test runner can name the one that fails.
"""

from bench.testing.backbones import BACKBONE_CHECKS, BackboneCheck, check_backbone
from bench.testing.strategies import STRATEGY_CHECKS, StrategyCase, StrategyCheck, check_strategy
from bench.testing.targets import TARGET_CHECKS, TargetCase, TargetCheck, check_target
from bench.testing.tasks import TASK_CHECKS, FirstExamples, TaskCheck, check_task

__all__ = [
    "BACKBONE_CHECKS",
    "STRATEGY_CHECKS",
    "TARGET_CHECKS",
    "TASK_CHECKS",
    "BackboneCheck",
    "FirstExamples",
    "StrategyCase",
    "StrategyCheck",
    "TargetCase",
    "TargetCheck",
    "TaskCheck",
    "check_backbone",
    "check_strategy",
    "check_target",
    "check_task",
]
