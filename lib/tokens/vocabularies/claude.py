"""Tokenizes text like Claude does, with ctok's tokenizers "3.0", "4.7" and "4.8".

Anthropic does not publish its tokenizers; ctok rebuilds their counts from published ones. The number of tokens is
ctok's, without the frame of a message. Where a token begins and ends is only one way to reach that number. Which model
uses which version is in lib/tokens/model_counters.py. ctok is optional: `installed()` says whether it is there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import zip_longest

from lib.messages import utf8_safe
from lib.tokens.vocabularies.pieces import TokenPiece, readable_bytes

FRAME = {"3.0": 7, "4.7": 11, "4.8": 6}
"""Tokens of one user message beyond its content (ctok's `message_overhead`)."""

_SYMBOL = re.compile(r"⟨(?:bow|eow|shift|caps)⟩|⟨0x([0-9A-F]{2})⟩|(.)", re.DOTALL)
_loading = threading.Lock()


@cache
def installed() -> bool:
    """Whether ctok can be imported. Does not import it."""
    return all(find_spec(name) for name in ("ctok", "regex"))


def tokens(version: str, text: str) -> list[str]:
    """The content's tokens in ctok's notation, at about 0.5 MB of text per second.

    ⟨bow⟩ and ⟨eow⟩ are the beginning and end of a word, ⟨shift⟩ and ⟨caps⟩ stand before letters that were capitals, and
    ⟨0xNN⟩ is a single byte.
    Example: tokens("3.0", "hello, world") -> ["⟨bow⟩hello⟨eow⟩", ",⟨eow⟩", "⟨bow⟩world⟨eow⟩"]
    """
    from ctok import tokenize as ctok_tokenize

    with _loading:  # only one thread reads the vocabulary
        ctok_tokenize("", version)
    with_frame: list[str] = ctok_tokenize(utf8_safe(text), version)
    return with_frame[FRAME[version] :]


def tokenize(version: str, text: str) -> list[TokenPiece]:
    """The tokens of a text. A token without a character of its own is shown in ctok's notation, such as ⟨shift⟩.

    The pieces joined are the text as ctok normalizes it (composed accents, no control characters, straight quotes in
    "3.0"), except for newlines at the end that the frame's last token takes.
    Example: tokenize("3.0", "Hello world") -> [TokenPiece("Hello", None), TokenPiece(" world", None)]
    """
    from ctok import normalize

    found = tokens(version, text)
    contents = [_content(token) for token in found]
    try:
        pairs = _match_text(b"".join(contents).decode(), normalize(utf8_safe(text), version))
    except ValueError:  # the tokens cannot be matched with the text, so show ctok's notation
        return [TokenPiece(token, None) for token in found]
    return [TokenPiece(text or token, None) for text, token in zip(_texts(contents, pairs), found, strict=True)]


def _content(token: str) -> bytes:
    """The characters of a token in UTF-8, without ctok's marks."""
    return b"".join(bytes.fromhex(byte) if byte else char.encode() for byte, char in _SYMBOL.findall(token))


def _match_text(content: str, text: str) -> list[tuple[str, str]]:
    """Pairs of (character in the tokens, what it stands for in the text), the latter with its capital and leading
    space.

    Raises ValueError if the two do not match.
    """
    pairs: list[tuple[str, str]] = []
    body, text_body = content.rstrip("\n"), text.rstrip("\n")
    position = 0
    for char in body:
        space = " " if text_body[position : position + 1] == " " != char else ""
        written = text_body[position + len(space) : position + len(space) + 1]
        if char not in (written, written.lower()):
            if pairs or char != " ":
                raise ValueError(f"{char!r} does not stand for {written!r}")
            space = written = ""  # the space that the frame adds before an opening quote
        pairs.append((char, space + written))
        position += len(space + written)
    if position != len(text_body):
        raise ValueError(f"nothing stands for {text_body[position:]!r}")
    newlines = zip_longest(content[len(body) :], text[len(text_body) :], fillvalue="")
    return pairs + [pair for pair in newlines if pair[0]]


def _texts(contents: list[bytes], pairs: list[tuple[str, str]]) -> Iterator[str]:
    """The text of each token. A character that is split between several tokens is shown as its bytes."""
    remaining_pairs = iter(pairs)
    char, rest, written = b"", b"", ""  # the current character, its bytes that no token had yet, its text
    for content in contents:
        text = ""
        while content:
            if not rest:
                next_char, written = next(remaining_pairs)
                char = rest = next_char.encode()
            share = content[: len(rest)]
            if share == char:
                text += written
            else:
                text += (written[:-1] if rest == char else "") + readable_bytes(share)
            content, rest = content[len(share) :], rest[len(share) :]
        yield text
