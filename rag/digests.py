"""Digests of files and model folders. Pure but for reading them."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 over the weights and settings in a model's folder, in hexadecimal."""
    hasher = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".safetensors", ".bin", ".json") and file.is_file():
            hasher.update(bytes.fromhex(sha256_of(file)))
    return hasher.hexdigest()
