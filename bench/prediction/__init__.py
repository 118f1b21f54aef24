"""The adapted model of a cell, kept in a folder and asked about files that nobody labelled."""
