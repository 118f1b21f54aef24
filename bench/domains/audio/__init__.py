"""The domain `audio`: recordings."""
