"""Finds the secret that signs the visitors' cookies: the configured one, else a random one that is kept.

Without a secret that outlives the process, every visitor is a new one after a restart, and nobody finds their chats.
Several processes that share a store need the same secret, or each takes the others' visitors for strangers.
"""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

FILE = "cookie-secret"
BYTES = 32

log = logging.getLogger(__name__)


def cookie_secret(configured: str | None, folder: Path | None) -> str:
    """The secret. One that is not configured is read from a file in this folder, which is made with the file if need
    be; without a folder, or where nothing can be written to it, the secret lasts as long as this process.
    """
    if configured:
        return configured
    if folder is not None:
        try:
            return _kept(folder)
        except OSError as error:
            log.warning("Visitors lose their chats at the next restart: %s cannot be kept (%s).", folder / FILE, error)
    return secrets.token_hex(BYTES)


def _kept(folder: Path) -> str:
    """The secret in the folder's file. Raises OSError."""
    path = folder / FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{FILE}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(BYTES))
        try:
            os.link(draft, path)  # fails if another process was faster, whose secret is used then
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    secret = path.read_text().strip()
    if len(secret) < BYTES:
        raise OSError("the file does not hold a secret")
    return secret
