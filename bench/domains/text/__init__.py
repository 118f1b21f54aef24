"""The domain `text`: words, phrases and sentences."""
