"""Claude's tokenizers as ctok rebuilds them from published counts: "3.0", "4.7" and "4.8".

The rule: the number of pieces is ctok's count of the text, without the frame of a message. Where the pieces begin and end is
one way to reach that count, not a claim: Claude's own boundaries are not published.
It leaves out which model uses which (lib/tokens/model_counters.py). ctok is optional; `installed()` says whether it is there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import zip_longest

from lib.tokens.vocabularies.pieces import Piece, drawable, mended

FRAME = {"3.0": 7, "4.7": 11, "4.8": 6}
"""Tokens of one user message beyond its content (ctok's `message_overhead`)."""

_ATOM = re.compile(r"⟨(?:bow|eow|shift|caps)⟩|⟨0x([0-9A-F]{2})⟩|(.)", re.DOTALL)
_loading = threading.Lock()


@cache
def installed() -> bool:
    """Whether ctok can be imported. Does not import it."""
    return all(find_spec(name) for name in ("ctok", "regex"))


def tokens(version: str, text: str) -> list[str]:
    """The content's tokens as ctok writes them: ⟨bow⟩ and ⟨eow⟩ where words begin and end, ⟨shift⟩ and ⟨caps⟩ before what
    was written with capitals, ⟨0xNN⟩ for single bytes. About 0.5 MB of text per second.

    Example: tokens("3.0", "hello, world") -> ["⟨bow⟩hello⟨eow⟩", ",⟨eow⟩", "⟨bow⟩world⟨eow⟩"]
    """
    with _loading:  # of two threads only one reads the vocabulary
        from ctok import tokenize

        tokenize("", version)
    found: list[str] = tokenize(mended(text), version)
    return found[FRAME[version] :]


def cut(version: str, text: str) -> list[Piece]:
    """The text in pieces. Joined they give the text as the tokenizer reads it (composed accents, no control characters,
    "3.0" with straight quotes) but for newlines at its end that the frame's last token takes. A token that holds no
    character is drawn as ctok writes it: ⟨shift⟩.

    Example: cut("3.0", "Hello, world") -> [Piece("Hello", None), Piece(",", None), Piece(" world", None)]
    """
    from ctok import normalize

    found = tokens(version, text)
    surfaces = [_surface(token) for token in found]
    try:
        shown = _restored(b"".join(surfaces).decode(), normalize(mended(text), version))
    except ValueError:  # a reading that does not lead back to the text: as ctok writes it
        return [Piece(token, None) for token in found]
    drawn = _drawn(surfaces, shown)
    return [Piece(text or token, None) for text, token in zip(drawn, found, strict=True)]


def _surface(token: str) -> bytes:
    """The characters of a token in UTF-8, its marks left out."""
    return b"".join(bytes.fromhex(hexed) if hexed else char.encode() for hexed, char in _ATOM.findall(token))


def _restored(surface: str, text: str) -> list[tuple[str, str]]:
    """Each character of the tokens, and what stands for it in the text: with its capital and the space before it.

    Raises ValueError where the two do not belong together.
    """
    pairs: list[tuple[str, str]] = []
    body, ending = surface.rstrip("\n"), text.rstrip("\n")
    place = 0
    for char in body:
        space = " " if ending[place : place + 1] == " " != char else ""
        written = ending[place + len(space) : place + len(space) + 1]
        if char not in (written, written.lower()):
            if pairs or char != " ":
                raise ValueError(f"{char!r} does not stand for {written!r}")
            space = written = ""  # the space that the frame sets before an opening quote
        pairs.append((char, space + written))
        place += len(space + written)
    if place != len(ending):
        raise ValueError(f"nothing stands for {ending[place:]!r}")
    newlines = zip_longest(surface[len(body) :], text[len(ending) :], fillvalue="")
    return pairs + [pair for pair in newlines if pair[0]]


def _drawn(surfaces: list[bytes], shown: list[tuple[str, str]]) -> Iterator[str]:
    """The text of each token. A character that several tokens share is drawn as its bytes."""
    coming = iter(shown)
    whole, left, written = b"", b"", ""  # the current character, what of it no token had yet, and what stands for it
    for surface in surfaces:
        text = ""
        while surface:
            if not left:
                char, written = next(coming)
                whole = left = char.encode()
            share = surface[: len(left)]
            if share == whole:
                text += written
            else:
                text += (written[:-1] if left == whole else "") + drawable(share)
            surface, left = surface[len(share) :], left[len(share) :]
        yield text
