"""What lies in the cells of a table, texts or whole files, read when it is looked at."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The cell `row` of a column; `where` says which cell it is. The column stays on the disk.

    Columns of files hold bytes, or pairs of `bytes` and `path` of which one may be missing, as those of Hugging Face's
    data sets do.
    """

    column: "pa.ChunkedArray"
    row: int
    where: str

    def __str__(self) -> str:
        return self.where

    def read_text(self) -> str:
        """Return the text, an empty one where there is none."""
        return str(self.column[self.row].as_py() or "")

    def read_bytes(self) -> bytes:
        """Return the bytes of the file. Raises `OSError` if there are none."""
        cell = self.column[self.row].as_py()
        if isinstance(cell, bytes):
            return cell
        if isinstance(cell, dict) and isinstance(cell["bytes"], bytes):
            return cell["bytes"]
        if isinstance(cell, dict) and cell["path"]:
            return Path(cell["path"]).read_bytes()
        raise FileNotFoundError("the cell is empty")
