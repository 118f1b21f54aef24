"""What an exported model is asked about, read as its domain reads it."""

from collections.abc import Sequence

from bench.domains.contract import Request, Unlabelled
from bench.domains.registered import domain_named
from bench.prediction.exported import Exported


def gather(
    exported: Exported, files: Sequence[str], *, texts: Sequence[str] = (), columns: Sequence[str] = ()
) -> Unlabelled:
    """Return what a model is asked about: files, folders of them or - for standard input, and texts themselves.

    `columns` are those of tables to look into.
    """
    domain = domain_named(exported.task.domain)
    request = Request(
        domain=domain,
        files=files,
        options=exported.data.options,
        format=exported.input_format,
        target=exported.target,
        texts=texts,
        columns=columns,
    )
    return domain.unlabelled.read(request)
