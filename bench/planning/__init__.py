"""What a run will measure: cells with their keys, seeds and label budgets."""
