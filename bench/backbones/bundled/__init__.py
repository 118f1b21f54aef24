"""The backbones that come with the project: pictures, speech and series, with their weights and cards in `weights`."""
