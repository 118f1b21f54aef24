"""The version of the package, and versions of what it computes, which are part of keys."""

from typing import Final

VERSION: Final = "0.1.0"

ALGORITHM: Final = 4
"""Raised when the same recipe on the same bytes would score differently: it makes every older result another cell."""

SHIFTS: Final = 2
"""Raised when test data are shifted otherwise than before: results that were scored on them are other cells then."""
