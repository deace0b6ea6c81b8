"""Loads OpenAI's tokenizers o200k_base and cl100k_base from the files beside this module.

tiktoken supplies the pattern, the special tokens and the encoder. Only its file loader is replaced, because that one
uses the network, a cache folder and an environment variable. A file with a SHA-256 that tiktoken does not expect is
refused. Special tokens in a text are ordinary text: what a person types is never a control token. Other encodings are
not here, because no chat model that can still be called uses them.
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
from lib.messages import utf8_safe
from lib.tokens.vocabularies.pieces import TokenPiece, readable_bytes

if TYPE_CHECKING:
    from tiktoken import Encoding

HASHES = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
"""SHA-256 of each uncompressed file, as in tiktoken 0.14 (tiktoken_ext/openai_public.py)."""
FOLDER = Path(__file__).parent
LONG_RUN = 100_000
"""Characters. Longer runs of blanks are split here, because tiktoken's pattern fails at 1,000,000 blanks in a row."""
REPAIR = "Install the app again, or rewrite the file with python -m lib.tokens.vocabularies.refresh."

_BLANKS = re.compile(r"[^\S\r\n\x1c-\x1f]+")  # \s of Rust's regex, which lacks four separators that Python's has
_loaded: dict[str, Encoding] = {}
_loading = threading.Lock()


def encoding(name: str) -> Encoding:
    """The encoding, loaded on first use (0.2 to 0.6 s) and shared by all threads.

    Raises InvalidSettings if its file is missing or damaged.
    """
    if name not in _loaded:
        with _loading:
            if name not in _loaded:
                _loaded[name] = _load(name)
    return _loaded[name]


def vocabulary_file(name: str) -> Path:
    """The path of a compressed vocabulary."""
    return FOLDER / f"{name}.tiktoken.xz"


def encoding_arguments(name: str, load: Callable[..., dict[bytes, int]]) -> dict[str, Any]:
    """tiktoken's own arguments for an encoding, with the vocabulary that `load(url, expected_hash)` returns."""
    from tiktoken_ext import openai_public  # type: ignore[import-untyped]  # the package has no types

    names = {**vars(openai_public), "load_tiktoken_bpe": load}
    arguments: dict[str, Any] = FunctionType(getattr(openai_public, name).__code__, names)()
    return arguments


def _load(name: str) -> Encoding:
    import tiktoken

    return tiktoken.Encoding(**encoding_arguments(name, lambda url, expected_hash=None: _read_ranks(name)))


def _read_ranks(name: str) -> dict[bytes, int]:
    """Every token's bytes and its id, from the checked file."""
    path = vocabulary_file(name)
    try:
        raw = lzma.decompress(path.read_bytes())
    except (OSError, lzma.LZMAError) as exc:
        raise InvalidSettings(f"The vocabulary {path.name} cannot be read: {exc}", next_step=REPAIR) from exc
    if hashlib.sha256(raw).hexdigest() != HASHES[name]:
        what = f"The vocabulary {path.name} is damaged: its SHA-256 is not {HASHES[name]}."
        raise InvalidSettings(what, next_step=REPAIR)
    return {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, raw.splitlines()) if token}


def token_ids(name: str, text: str) -> list[int]:
    """The ids of the text's tokens, equal to tiktoken's, also for runs of blanks that tiktoken cannot handle.

    Example: token_ids("o200k_base", "hello world") -> [24912, 2375]
    """
    encoder = encoding(name)
    if len(text) < LONG_RUN:
        return encoder.encode_ordinary(utf8_safe(text))
    ids: list[int] = []
    for part, is_blank in _split_long_blanks(utf8_safe(text), keep_end=name == "cl100k_base"):
        ids += encoder._encode_single_piece(part) if is_blank else encoder.encode_ordinary(part)
    return ids


def _split_long_blanks(text: str, keep_end: bool) -> Iterator[tuple[str, bool]]:
    """The text in parts, and whether a part is a long run of blanks, which the pattern would match as one word.

    Both patterns match a run of blanks up to its last newline, then the rest of it except the last blank, which belongs
    to the word that follows; at the end of the text the last blank is included. There, cl100k's pattern takes newlines
    and blanks together and does not fail, so `keep_end` leaves that run to it.
    """
    start = 0
    for run in _BLANKS.finditer(text):
        if run.end() - run.start() < LONG_RUN or text[run.end() : run.end() + 1] in ("\r", "\n"):
            continue
        at_end = run.end() == len(text)
        if at_end and keep_end:
            break
        yield text[start : run.start()], False
        start = len(text) if at_end else run.end() - 1
        yield text[run.start() : start], True
    yield text[start:], False


def tokenize(name: str, text: str) -> list[TokenPiece]:
    """The tokens of a text. Their bytes joined are the UTF-8 of the text.

    Example: tokenize("o200k_base", "hello world") -> [TokenPiece("hello", 24912), TokenPiece(" world", 2375)]
    """
    encoder = encoding(name)
    ids = token_ids(name, text)
    return [TokenPiece(readable_bytes(encoder.decode_single_token_bytes(token)), token) for token in ids]
