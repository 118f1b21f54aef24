"""What the domains offer, a module for each."""
