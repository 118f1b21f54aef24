"""Classical models: what an engineer would have built before there was anything to transfer.

A target names those that can predict it; what they look at is what the domain of the examples offers.
"""
