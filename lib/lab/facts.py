"""Facts worth asking for again: addresses, codes, dates, numbers and names that a person told the model.

The rule: pure heuristics over the user's own messages, so that the same conversation always suggests the same facts; every
suggestion can be changed or thrown away by the person. A question never holds its answer.
It leaves out understanding: a fact in other words, in a question, in code, or in a model's reply is not found, and German
capital letters are taken for names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal, NamedTuple

from lib.lab.answer_match import contains, key
from lib.messages import Message
from lib.tool_calls import opens_exchange

FACTS = 12
"""How many are suggested at most."""
LOOKED_AT = 4000
"""Characters of a message that are looked at: what is behind them was pasted, not told."""
AROUND = 90
"""Characters that a question about a gap shows to each side of it."""
GAP = "____"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a person told the model. `index` is where the message is stored."""

    index: int
    text: str
    """The sentence that says it."""
    question: str
    answer: str
    """What a reply has to hold."""


Kind = Literal["address", "page", "date", "code", "time", "telephone", "number", "called", "name"]
WORTH: dict[Kind, int] = {
    "address": 6,
    "code": 5,
    "telephone": 5,
    "date": 4,
    "time": 4,
    "number": 3,
    "called": 2,
    "name": 1,
    "page": 0,
}
"""How much a value tells: what is guessed easily tells little. Nothing inside the address of a page is a fact."""


class Find(NamedTuple):
    """A value in a sentence."""

    start: int
    stop: int
    kind: Kind


_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_UPPER, _LOWER = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿ"
_SHAPES: tuple[tuple[Kind, str], ...] = (
    ("address", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("page", r"\b(?:https?://|www\.)\S+"),
    ("date", r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}([./])\d{1,2}\1\d{4}\b"),
    ("date", rf"\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTHS})\b(?:,? \d{{4}}\b)?"),
    ("date", rf"\b(?:{_MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}}\b)?"),
    ("time", r"\b\d{1,2}:\d\d\b(?:\s?[ap]m\b)?|\b\d{1,2}\s?[ap]m\b"),
    ("code", r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+\b|\b[A-Za-z](?=\w*\d)[A-Za-z0-9]{3,}\b"),
    ("telephone", r"(?<![\w.,])\+?\(?\d(?:[ ()/-]{0,2}\d){6,}(?!\w)"),
    ("number", r"[$€£]?(?<![\w.,])\d{1,3}(?:[ ’']\d{3})+(?!\w)|[$€£]?(?<![\w.,])\d+(?:[.,]\d+)*(?!\w)(?:\s?[%€$£])?"),
    ("called", rf"(?<=called )[{_UPPER}][\w'’-]+|(?<=named )[{_UPPER}][\w'’-]+"),
    ("name", rf"(?<![\w'’.])(?!I\b)[{_UPPER}][\w'’-]*[{_LOWER}](?: [{_UPPER}][\w'’-]*[{_LOWER}]){{0,2}}\b"),
)
_NO_NAMES = frozenset(
    f"I I'm I've I'll I'd I’m I’ve I’ll I’d OK Ok Yes No Please Thanks Hello Hi Dear {_MONTHS.replace('|', ' ')} Monday"
    " Tuesday Wednesday Thursday Friday Saturday Sunday English German French Spanish Italian".split()
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_WORDS = r"(?: [\w'’-]+){0,3}?"
_NAMES: tuple[Kind, ...] = ("called", "name")
_QUESTIONS: tuple[tuple[str, str, tuple[Kind, ...]], ...] = (
    (r"\b(?:my name is|call me|i am|i['’]m) $", "What is my name?", _NAMES),
    (r"\bi (?:now )?live in (?:the )?$", "Where do I live?", _NAMES),
    (r"\bi (?:now )?work (?:for|at) (?:the )?$", "Where do I work?", _NAMES),
    (r"\bi was born (?:on|in) (?:the )?$", "When was I born?", ("date", "number")),
    (rf"\b(?:an?|my|our) ([\w'’-]+{_WORDS}) (?:called|named) $", "What is the name of my {0}?", _NAMES),
    (
        rf"\b((?:my|our|the) [\w'’-]+{_WORDS}) (?:is|are|was|will be) (?:on|at) (?:the )?$",
        "When is {0}?",
        ("date", "time"),
    ),
    (rf"\b((?:my|our|the) [\w'’-]+{_WORDS}) (?:is|are|was|=) (?:about |exactly |now )?$", "What is {0}?", tuple(WORTH)),
)
"""What stands right before the value, the question it allows, and for which kinds of values."""


def suggested(history: Sequence[Message], most: int = FACTS) -> list[Fact]:
    """The facts of a conversation that tell most, in the order they were said.

    Of two with one question, the later; a sentence that was said with several values allows no question about its gap.

    Example: "I have a dog called Bruno." -> Fact(0, "I have a dog called Bruno.", "What is the name of my dog?", "Bruno")
    """
    found: dict[str, Ranked] = {}
    answers: dict[object, str] = {}
    unclear: set[str] = set()
    places = count()
    for index, message in enumerate(history):
        for worth, fact in _facts_in(index, message) if opens_exchange(message) else ():
            earlier = found.pop(fact.question, None)
            if earlier is not None:
                answers.pop(key(earlier.fact.answer), None)
                if GAP in fact.question and key(earlier.fact.answer) != key(fact.answer):
                    unclear.add(fact.question)
            if fact.question not in unclear and answers.setdefault(key(fact.answer), fact.question) == fact.question:
                found[fact.question] = Ranked(-worth, next(places), fact)
    best = sorted(found.values())[:most]
    return [ranked.fact for ranked in sorted(best, key=lambda ranked: (ranked.fact.index, ranked.place))]


class Ranked(NamedTuple):
    """A fact with what it is sorted by: what tells most comes first, then what was said first."""

    worth: int
    place: int
    fact: Fact


def _facts_in(index: int, message: Message) -> Iterator[tuple[int, Fact]]:
    """Every fact of a message, with its worth; one that a plain question can be asked about is worth more."""
    for sentence in _sentences(_told(message)):
        for find in _finds(sentence):
            answer = sentence[find.start : find.stop]
            plain = _plain_question(sentence[: find.start], find.kind)
            question = plain or _gap_question(sentence, find)
            if not contains(question, answer):
                yield WORTH[find.kind] + 4 * (plain is not None), Fact(index, sentence, question, answer)


def _told(message: Message) -> str:
    """The words of a message: its text, or the text among its parts."""
    parts = message.content if isinstance(message.content, list) else [message.content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "\n".join(text for text in texts if isinstance(text, str))[:LOOKED_AT]


def _sentences(text: str) -> Iterator[str]:
    """Sentences that tell something: no questions, no code."""
    for sentence in _SENTENCES.split(_CODE.sub("\n", text)):
        trimmed = sentence.strip(" \t-*•>#\"'“”")
        if trimmed and not trimmed.rstrip(" )\"'”").endswith("?"):
            yield trimmed


def _finds(sentence: str) -> list[Find]:
    """The values of a sentence, in order; where two overlap, the one that tells more."""
    found: list[Find] = []
    for kind, shape in _SHAPES:
        for match in re.finditer(shape, sentence):
            start, stop = match.span()
            if not any(start < other.stop and other.start < stop for other in found):
                found.append(Find(start, stop, kind))
    return sorted(find for find in found if _tells(sentence, find))


def _tells(sentence: str, find: Find) -> bool:
    """Whether it is worth asking for: names that only begin a sentence, and single digits, are not."""
    value = sentence[find.start : find.stop]
    if find.kind == "name":
        begins = not re.search(r"[\w)][\"'”]?,? $", sentence[: find.start])
        return not begins and value not in _NO_NAMES and value.split()[0] not in _NO_NAMES
    return find.kind != "page" and (find.kind != "number" or sum(char.isdigit() for char in value) > 1)


def _plain_question(before: str, kind: Kind) -> str | None:
    """A question in plain words; None where the words before the value allow none."""
    for pattern, question, kinds in _QUESTIONS:
        found = re.search(pattern, before, re.IGNORECASE) if kind in kinds else None
        if found is not None:
            return question.format(*(group[0].lower() + group[1:] for group in found.groups()))
    return None


def _gap_question(sentence: str, find: Find) -> str:
    """The sentence with a gap; wherever else the value stands in it, there is one, too."""
    value = sentence[find.start : find.stop]
    before = ("…" if find.start > AROUND else "") + sentence[max(0, find.start - AROUND) : find.start]
    after = sentence[find.stop : find.stop + AROUND] + ("…" if len(sentence) - find.stop > AROUND else "")
    shown = f"{before.replace(value, GAP)}{GAP}{after.replace(value, GAP)}"
    return f"Earlier I wrote: “{shown}” What stood in place of {GAP}?"
