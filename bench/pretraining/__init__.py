"""What the bundled backbones are made from, and making them."""
