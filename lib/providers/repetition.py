"""Ends a reply that has begun to repeat itself, as small models do when they lose their way.

The end of the text so far is compared with itself: it is a loop if it is one passage several times over, and nothing
else. Numbers in front of list items do not count, because a model that loops through a list goes on numbering it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from lib.providers import Reply, StreamEvent, TextDelta

REPETITION = "repetition"
"""The stop reason of a reply that was ended here."""
LONGEST = 600
"""Characters of the longest passage whose repetition is noticed."""
COPIES = 3
"""How often a passage must come in a row."""
WORDS, MARKS = 500, 1500
"""Characters that the copies must cover together: with letters in the passage, and without, as in a row of zeros."""
STEP = 64
"""Characters between two looks."""
MOST_CHARACTERS = COPIES * LONGEST + STEP
"""A loop is ended at the latest this many characters after it began, and the rest of the piece it came in."""
_NUMBERED = re.compile(r"^([ \t]*)\d+([.)])", re.MULTILINE)


def until_repetition(stream: Iterator[StreamEvent], model: str) -> Iterator[StreamEvent]:
    """The events of a provider's stream, up to a loop.

    A loop closes the stream and gives a Reply with the text so far; its usage is not known then. Closing this iterator
    closes the stream.
    """
    text, seen = "", 0
    try:
        for event in stream:
            yield event
            if isinstance(event, Reply):
                return
            if not isinstance(event, TextDelta):
                continue
            text += event.text
            if len(text) - seen >= STEP:
                seen = len(text)
                if is_loop(text):
                    yield Reply(text, model=model, stop_reason=REPETITION)
                    return
    finally:
        if isinstance(stream, Generator):
            stream.close()


def is_loop(text: str) -> bool:
    """Whether the text ends in one passage at least three times in a row. Looks only at its last characters.

    Example: is_loop("I am a marine biologist. " * 20) -> True
    """
    # list numbers may be longer than the "0" in their place, so more is cut than is compared
    tail = _NUMBERED.sub(r"\g<1>0\2", text[-2 * MOST_CHARACTERS :])
    for size in range(1, min(LONGEST, len(tail) // COPIES) + 1):
        length = max(COPIES * size, WORDS)
        if _repeats(tail, size, length):
            has_letters = any(char.isalpha() for char in tail[-size:])
            if has_letters or _repeats(tail, size, max(length, MARKS)):
                return True
    return False


def _repeats(text: str, size: int, length: int) -> bool:
    """Whether each of the last `length` characters is the one `size` characters before it."""
    return len(text) >= length and text[-length:-size] == text[-length + size :]
