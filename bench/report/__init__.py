"""Reports: what is known of a results folder, written as a page, Markdown, charts and spreadsheets."""
