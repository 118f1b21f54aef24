"""Parts of data: label budgets, folds and test blocks, and the random streams that draw them."""
