"""Trackers of experiments that people already use: a module each, loaded with its library only when it is asked for."""
