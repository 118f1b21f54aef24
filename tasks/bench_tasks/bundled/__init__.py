"""Tasks whose data come with the project or its packages: digits, lexicon, reviews, spoken-digits, co2 and
elnino. `data` has what comes with the project, each table with the module that made it.
"""
