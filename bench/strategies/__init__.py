"""The kinds of strategies, a module for each."""
