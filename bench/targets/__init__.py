"""The targets, a module for each."""
