"""Rewrites the vocabulary files, from a wheel that contains them:

    pip download --no-deps llama-index-core
    python -m lib.tokens.vocabularies.refresh llama_index_core-0.14.25-py3-none-any.whl

The source may also be a folder. The files are found in it by the names that tiktoken's cache uses, and written only if
they have the SHA-256 that the installed tiktoken expects. No network is used. A new encoding needs an entry in
byte_pairs.HASHES first.
"""

from __future__ import annotations

import hashlib
import lzma
import sys
import zipfile
from pathlib import Path

from lib.tokens.vocabularies.byte_pairs import HASHES, encoding_arguments, vocabulary_file

PRESET = 9 | lzma.PRESET_EXTREME


def upstream(name: str) -> tuple[str, str]:
    """The name of a vocabulary in tiktoken's cache, and the SHA-256 that the installed tiktoken expects."""
    request: dict[str, str] = {}

    def load(url: str, expected_hash: str) -> dict[bytes, int]:
        request.update(url=url, expected=expected_hash)
        return {}

    encoding_arguments(name, load)
    return hashlib.sha1(request["url"].encode(), usedforsecurity=False).hexdigest(), request["expected"]


def read_from(source: Path, file: str) -> bytes:
    """The bytes of a file that lies anywhere in a wheel or folder. Raises FileNotFoundError."""
    if source.is_dir():
        for path in source.rglob(file):
            return path.read_bytes()
    else:
        with zipfile.ZipFile(source) as wheel:
            for entry in wheel.namelist():
                if entry.rpartition("/")[2] == file:
                    return wheel.read(entry)
    raise FileNotFoundError(f"{source} holds no {file}")


def refresh(source: Path) -> list[str]:
    """Write every vocabulary and return "SHA-256  name" for each. Raises ValueError for a file with another hash."""
    lines = []
    for name, ours in HASHES.items():
        file, expected = upstream(name)
        raw = read_from(source, file)
        found = hashlib.sha256(raw).hexdigest()
        if not found == expected == ours:
            raise ValueError(f"{name}: found {found}, tiktoken expects {expected}, byte_pairs.HASHES has {ours}")
        packed = lzma.compress(raw, preset=PRESET)
        vocabulary_file(name).write_bytes(packed)
        lines.append(f"{hashlib.sha256(packed).hexdigest()}  {vocabulary_file(name).name}")
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(refresh(Path(sys.argv[1]))) + "\nPut these into NOTICE.md.\n")
