"""Reports: what the outcomes of a results folder say, as tables, charts and a page."""
