"""Writes the vocabulary files anew, from a wheel that carries them:

    pip download --no-deps llama-index-core
    python -m lib.tokens.vocabularies.refresh llama_index_core-0.14.25-py3-none-any.whl

The rule: only bytes that have the SHA-256 of the installed tiktoken are written. The files are found by the names
tiktoken's cache gives them, in a wheel (a ZIP file) or in a folder. Asks no network.
It leaves out a new encoding: that takes a line in byte_pairs.PINS first.
"""

from __future__ import annotations

import hashlib
import lzma
import sys
import zipfile
from pathlib import Path

from lib.tokens.vocabularies.byte_pairs import PINS, definition, packed_file

PRESET = 9 | lzma.PRESET_EXTREME


def upstream(name: str) -> tuple[str, str]:
    """What the installed tiktoken calls a vocabulary in its cache, and the SHA-256 it expects."""
    asked: dict[str, str] = {}

    def note(url: str, expected_hash: str) -> dict[bytes, int]:
        asked.update(url=url, expected=expected_hash)
        return {}

    definition(name, note)
    return hashlib.sha1(asked["url"].encode(), usedforsecurity=False).hexdigest(), asked["expected"]


def carried(source: Path, file: str) -> bytes:
    """The bytes of one file that lies anywhere in a wheel or folder. Raises FileNotFoundError."""
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
    """Write every vocabulary. Returns one line for each; raises ValueError before the first bad one is written."""
    lines = []
    for name, pin in PINS.items():
        file, expected = upstream(name)
        raw = carried(source, file)
        found = hashlib.sha256(raw).hexdigest()
        if not found == expected == pin:
            raise ValueError(f"{name}: found {found}, tiktoken expects {expected}, byte_pairs.PINS has {pin}")
        packed = lzma.compress(raw, preset=PRESET)
        packed_file(name).write_bytes(packed)
        lines.append(f"{hashlib.sha256(packed).hexdigest()}  {packed_file(name).name}")
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(refresh(Path(sys.argv[1]))) + "\nPut these into NOTICE.md.\n")
