"""Finding weights files that libraries publish: in the library's own cache, else from the network."""

import re
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlparse

import torch
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    is_offline_mode,
    try_to_load_from_cache,
)
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

from bench.backbones.opened import Reference
from bench.errors import WeightsError
from bench.files.downloads import announce, hub_answers, patience
from bench.runtime.cache import file_sha256

_HASH: Final = re.compile(r"-([0-9a-f]{8,})\.")
"""Of the file's content, as torch.hub writes it into a file's name."""


def hub_file(reference: Reference, hub_id: str, files: Sequence[str], *, licence: str) -> Path:
    """Return the first of `files` that a model on the Hugging Face hub has, for the backbone of a reference.

    Raises `WeightsError` if none is in the cache and the hub cannot be asked, or has none, and `DataError` if it is too
    large to be fetched unasked.
    """
    name = reference.name
    for file in files:
        found = try_to_load_from_cache(hub_id, file)
        if isinstance(found, str):
            return Path(found)
    wanted = f"{files[0]} of {hub_id}"
    looked = f"the Hugging Face cache {constants.HF_HUB_CACHE}"
    if is_offline_mode():
        raise _unreachable(name, wanted, looked, "HF_HUB_OFFLINE is set")
    if not hub_answers():
        raise _unreachable(name, wanted, looked, f"{constants.ENDPOINT} does not answer")
    for file in files:
        try:
            size = get_hf_file_metadata(hf_hub_url(hub_id, file)).size or 0
            announce(name, size, licence, Path(constants.HF_HUB_CACHE), large=reference.large, flag="--backbone")
            return Path(hf_hub_download(hub_id, file))
        except LocalEntryNotFoundError as error:
            raise _unreachable(name, wanted, looked, f"{constants.ENDPOINT} does not answer") from error
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError) as error:
            raise _unreachable(name, wanted, looked, str(error).partition("\n")[0]) from error
    raise WeightsError(
        f"{hub_id} on {constants.ENDPOINT} has no {' or '.join(files)}; choose another backbone than {name}"
    )


def url_file(name: str, url: str) -> Path:
    """Return the file behind a link, kept where torch.hub keeps it, for the backbone `name`.

    Raises `WeightsError` if it is not there and cannot be fetched, or is not the one that the link's hash names.
    """
    path = kept_at(url)
    stated = _HASH.search(path.name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with patience():
                torch.hub.download_url_to_file(url, str(path), stated[1] if stated else None)
        except (OSError, RuntimeError, HTTPException) as error:
            raise _unreachable(name, url, f"torch's cache {path.parent}", str(error)) from error
    elif stated and not file_sha256(path).startswith(stated[1]):
        raise WeightsError(
            f"{path} is damaged: its sha256 does not begin with {stated[1]}; delete it, so that it is fetched anew"
        )
    return path


def kept_at(url: str) -> Path:
    """Return where torch.hub keeps the file behind a link."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name


def _unreachable(name: str, wanted: str, looked: str, reason: str) -> WeightsError:
    return WeightsError(
        f"{wanted} is not in {looked}, and cannot be fetched ({reason}); where there is a network, run "
        f"`bench fetch --backbone {name}`"
    )
