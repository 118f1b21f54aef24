"""The sections of a report, each as blocks that the page and the Markdown both render."""
