"""Packages for plug-ins to begin with, a folder for each kind, and `writing`, which copies one under another name.

They are about a newcomer, whose name is replaced; what is in them is checked and tested as it stands.
"""
