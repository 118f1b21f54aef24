"""What a report says, as one page for a browser, and its charts as SVG."""
