"""Facts that a person stated, for a look at what a request lost and for what to search.

A fact is lost to a request if no message that was sent has it: a reply may have repeated what was dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from lib.analysis.replay import sent_in
from lib.analysis.request_view import RequestView
from lib.lab.answer_match import contains
from lib.lab.facts import Fact, suggest_facts
from lib.messages import Message, user
from lib.ui.format.text import as_label

NAMED = 3
"""Facts that the sentence names."""
FIRST, NEWEST = 20, 180
"""Facts are searched in the first and the newest messages, so that a long conversation costs no more than these."""
CLOSELY_READ = 5_000
"""Characters in which a fact is also found in another spelling (4711 as 4,711), which takes a while."""
WORDS = 60
"""Characters of a message that the sentence quotes."""


def stated(history: Sequence[Message]) -> list[Fact]:
    """Facts that the person stated, in the order in which they were said."""
    size = len(history)
    places = [*range(min(FIRST, size)), *range(max(FIRST, size - NEWEST), size)]
    typed = [at for at in places if history[at].role == "user" and isinstance(history[at].content, str)]
    return [replace(fact, index=typed[fact.index]) for fact in _found(tuple(history[at].text for at in typed))]


@lru_cache(maxsize=4)
def _found(texts: tuple[str, ...]) -> tuple[Fact, ...]:
    """The facts in these texts of a person. Kept, because every click on the page asks again."""
    return tuple(suggest_facts([user(text) for text in texts]))


def lost(view: RequestView) -> list[Fact]:
    """The facts stated before this request that it does not hold."""
    sent = [lead.message.text for lead in view.preamble]
    sent += [view.message(at).text for start, stop in sent_in(view.runs) for at in range(start, stop)]
    there = "\n".join(sent)
    folded = there.casefold()
    history = [view.message(at) for at in range(view.total)]
    missing = [fact for fact in stated(history) if fact.answer.casefold() not in folded]
    return [fact for fact in missing if len(there) > CLOSELY_READ or not contains(there, fact.answer)]


def sentence(view: RequestView) -> str:
    """What the request lost, in words; empty if everything was sent.

    Example: "You said this, but it was not sent: **Lisbon** (message 1), **4711** (message 3)."
    """
    if view.sent == view.total:
        return ""
    gone = lost(view)
    if gone:
        named = ", ".join(f"**{as_label(fact.answer)}** (message {fact.index + 1})" for fact in gone[:NAMED])
        more = f" and {len(gone) - NAMED:,} more" if len(gone) > NAMED else ""
        return f"You said this, but it was not sent: {named}{more}."
    first = next(start for start, _, included, _ in view.runs if not included)
    return f"The oldest of them is message {first + 1}: “{as_label(view.message(first).text, WORDS) or '(empty)'}”"
