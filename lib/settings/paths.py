"""Reads the settings that name a file or a folder, and refuses those that cannot be used."""

from __future__ import annotations

from pathlib import Path

from lib.errors import InvalidSettings

GGUF = b"GGUF"
"""The first bytes of a model file for llama.cpp."""


def local_model(value: str) -> Path | None:
    """The file of another model for this machine. Raises InvalidSettings unless it can be read and begins as GGUF."""
    if not value:
        return None
    what = f"WINDOWSEAT_LOCAL_MODEL is {value!r}, but"
    path = Path(value).expanduser()
    try:
        with path.open("rb") as file:
            beginning = file.read(len(GGUF))
    except FileNotFoundError:
        raise InvalidSettings(f"{what} there is no such file.") from None
    except IsADirectoryError:
        raise InvalidSettings(f"{what} that is a folder. Name one .gguf file in it.") from None
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise InvalidSettings(f"{what} the file cannot be read: {reason}.") from exc
    if beginning != GGUF:
        raise InvalidSettings(
            f"{what} that is no GGUF file: it does not begin with the letters GGUF. Models for llama.cpp have the"
            " ending .gguf; a file that was downloaded with Git may be a pointer to the real one."
        )
    return path


def lessons_folder(value: str) -> Path | None:
    """The folder with lessons of one's own; None if it is not set. Raises InvalidSettings unless it is there."""
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_dir():
        raise InvalidSettings(f"WINDOWSEAT_LESSONS is {value!r}, but there is no such folder.")
    return path
