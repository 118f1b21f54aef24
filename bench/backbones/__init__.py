"""Backbones: their names and cards, and opening one by its name from whichever source it comes.

What the sources share lies here: names (`catalog`), cards by name (`descriptions`), kept cards (`cards`), names taken
apart (`opened`), opening by name (`loading`), files that libraries publish (`hubs`), and backbones of an architecture's
name (`architectures`).
"""
