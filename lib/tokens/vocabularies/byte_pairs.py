"""OpenAI's tokenizers o200k_base and cl100k_base, built in memory from the files beside this module.

The rule: exact and offline. tiktoken supplies the pattern, the special tokens and the encoder; only its file loader is
replaced, so nothing asks a network, writes a cache folder or reads an environment variable, and a file whose SHA-256 is
not the one tiktoken expects is refused. A vocabulary is loaded on first use and shared between threads.
Special tokens in a text are text: what a person types is never a control token.
It leaves out the other encodings: no chat model that can still be called uses them.
"""

from __future__ import annotations

import base64
import hashlib
import lzma
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from lib.errors import InvalidSettings
from lib.tokens.vocabularies.pieces import Piece, drawable, mended

if TYPE_CHECKING:
    from tiktoken import Encoding

PINS = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
"""SHA-256 of each uncompressed file, as tiktoken 0.14 has them (tiktoken_ext/openai_public.py)."""
FOLDER = Path(__file__).parent
LONG_BLANK = 100_000
"""Characters. From this length on, blanks in a row are cut here and not by tiktoken's pattern, which fails at 1,000,000."""

_BLANKS = re.compile(r"[^\S\r\n\x1c-\x1f]+")  # \s of Rust's regex, which leaves out four separators that Python's has
_loaded: dict[str, Encoding] = {}
_loading = threading.Lock()


def encoding(name: str) -> Encoding:
    """The encoding, loaded on first use (0.2 to 0.6 s). Raises InvalidSettings if its file is missing or damaged."""
    if name not in _loaded:
        with _loading:
            if name not in _loaded:
                _loaded[name] = _build(name)
    return _loaded[name]


def packed_file(name: str) -> Path:
    """Where a vocabulary lies."""
    return FOLDER / f"{name}.tiktoken.xz"


def definition(name: str, load: Callable[..., dict[bytes, int]]) -> dict[str, Any]:
    """tiktoken's own arguments for an encoding, its vocabulary read by `load(url, expected_hash)`."""
    from tiktoken_ext import openai_public  # type: ignore[import-untyped]

    names = {**vars(openai_public), "load_tiktoken_bpe": load}
    arguments: dict[str, Any] = FunctionType(getattr(openai_public, name).__code__, names)()
    return arguments


def _build(name: str) -> Encoding:
    import tiktoken

    return tiktoken.Encoding(**definition(name, lambda url, expected_hash=None: _ranks(name)))


def _ranks(name: str) -> dict[bytes, int]:
    """Token bytes and their ids, of a file that was checked."""
    path = packed_file(name)
    again = "Install the app again, or write the file anew: python -m lib.tokens.vocabularies.refresh."
    try:
        raw = lzma.decompress(path.read_bytes())
    except (OSError, lzma.LZMAError) as exc:
        raise InvalidSettings(f"The vocabulary {path.name} cannot be read: {exc}", next_step=again) from exc
    if hashlib.sha256(raw).hexdigest() != PINS[name]:
        raise InvalidSettings(
            f"The vocabulary {path.name} is damaged: its SHA-256 is not {PINS[name]}.", next_step=again
        )
    return {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, raw.splitlines()) if token}


def ids(name: str, text: str) -> list[int]:
    """The text's token ids. What tiktoken gives, and for a million blanks in a row, where it fails, what it would give.

    Example: ids("o200k_base", "hello world") -> [24912, 2375]
    """
    known = encoding(name)
    if len(text) < LONG_BLANK:
        return known.encode_ordinary(mended(text))
    found: list[int] = []
    for stretch, blank in _stretches(mended(text), whole_end=name == "cl100k_base"):
        found += known._encode_single_piece(stretch) if blank else known.encode_ordinary(stretch)
    return found


def _stretches(text: str, whole_end: bool) -> Iterator[tuple[str, bool]]:
    """The text in stretches, and whether each is blanks that the pattern takes as one word.

    Both patterns match a run of blanks up to its last newline, then all that follows but the last blank, which belongs to
    what comes next; at the end of the text nothing is left over. There cl100k's pattern takes newlines and blanks together
    and does not fail, so that end (`whole_end`) is left to it.
    """
    start = 0
    for run in _BLANKS.finditer(text):
        if run.end() - run.start() < LONG_BLANK or text[run.end() : run.end() + 1] in ("\r", "\n"):
            continue
        at_end = run.end() == len(text)
        if at_end and whole_end:
            break
        yield text[start : run.start()], False
        start = len(text) if at_end else run.end() - 1
        yield text[run.start() : start], True
    yield text[start:], False


def cut(name: str, text: str) -> list[Piece]:
    """The text in pieces; their tokens' bytes joined are its UTF-8.

    Example: cut("o200k_base", "hello world") -> [Piece("hello", 24912), Piece(" world", 2375)]
    """
    known = encoding(name)
    return [Piece(drawable(known.decode_single_token_bytes(number)), number) for number in ids(name, text)]
