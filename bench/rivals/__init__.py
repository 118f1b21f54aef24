"""Classical models, one for each domain: what an engineer would have built before there was anything to transfer."""
