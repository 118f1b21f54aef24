"""What the outcomes of a results folder say: tables, curves and statistics, and the sentences made of them."""
