"""Tasks whose data come with the project or its packages: digits, lexicon, spoken-digits, co2 and elnino."""
