"""Classification of the files people have: folders, archives and tables, checked, split and described.

`folder` and `table` open them; `labelled` makes a task of labelled examples, wherever they were found.
"""
