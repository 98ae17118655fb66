"""One pinned revision of a hub model; what lies complete in the hub's cache needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

from .errors import PrepareError
from .progress import progress
from .sources import Folder

# Neither pickles nor code: they are not even downloaded.
PATTERNS = ["*.json", "model*.safetensors", "tokenizer.model", "merges.txt"]


def open_hub(source: dict[str, Any]) -> Folder:
    model_id, revision = source["id"], source["revision"]
    name = f"{model_id}@{revision[:7]}"
    try:
        return Folder(_snapshot(model_id, revision, local_files_only=True))
    except (PrepareError, OSError):
        progress(f"downloading {name}")
    try:
        folder = _snapshot(model_id, revision, local_files_only=False)
    except GatedRepoError as error:
        raise PrepareError(
            f"{name} is gated",
            hint="accept its licence on the hub and log in with `hf auth login`, or choose another model",
            code="unavailable",
        ) from error
    except RevisionNotFoundError as error:
        hint = "copy the full commit hash from the hub"
        raise PrepareError(f"{model_id} has no revision {revision}", hint=hint) from error
    except RepositoryNotFoundError as error:
        raise PrepareError(f"the hub has no model {model_id}, or it is private", hint="check source.id") from error
    except OSError as error:
        raise PrepareError(
            f"{name} could not be downloaded: {first_line(error)}",
            hint="check the network, or name a local folder with source: {kind: folder, path: …}",
            code="unavailable",
        ) from error
    return Folder(folder)


def _snapshot(model_id: str, revision: str, *, local_files_only: bool) -> Path:
    return Path(
        snapshot_download(model_id, revision=revision, allow_patterns=PATTERNS, local_files_only=local_files_only)
    )


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
