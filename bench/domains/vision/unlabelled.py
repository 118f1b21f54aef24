"""Pictures without labels."""

from bench.domains.contract import Request, Unlabelled
from bench.domains.unlabelled import read_files
from bench.domains.vision.files import ImageFiles, decode_picture


def read(request: Request) -> Unlabelled:
    """Return the pictures that a model is asked about."""
    found = read_files(request, decode_picture)
    return Unlabelled(ImageFiles(found.paths, found.hashes), found.sources, found.problems)
