"""Sources of backbones, one file each, and the weights that come with the project."""
