"""Suggests facts to ask a model for: addresses, codes, dates, numbers and names that the user told it.

Patterns find them in the user's messages, so the same conversation always gives the same suggestions. A question never
contains its answer. Facts in questions, requests ("Give me three tips for learning Python."), code or replies are not
found, and German nouns are taken for names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal, NamedTuple

from lib.lab.answer_match import answer_key, contains
from lib.messages import Message
from lib.tool_calls import opens_exchange

FACTS = 12
"""Most suggestions per conversation."""
SEARCHED = 4000
"""Characters of a message that are searched. A longer message is probably a pasted text."""
AROUND = 90
"""Characters that a question about a gap shows on each side of it."""
GAP = "____"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the user told the model. `index` is the stored index of the message."""

    index: int
    text: str
    """The sentence that says it."""
    question: str
    answer: str
    """What a reply must contain."""


ValueKind = Literal["address", "page", "date", "code", "time", "telephone", "number", "called", "name"]
WORTH: dict[ValueKind, int] = {
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
"""How good a question each kind makes: what is easily guessed is worth little. A web address is never asked for."""


class Value(NamedTuple):
    """A value in a sentence."""

    start: int
    stop: int
    kind: ValueKind


_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_UPPER, _LOWER = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿ"
_SHAPES: tuple[tuple[ValueKind, str], ...] = (
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
_REQUEST = re.compile(
    r"(?:(?:please|now|then|and|so|ok|okay|also|just|next|first|finally|hi|hello|hey|thanks|great|good),? +)*"
    r"(?:(?:can|could|would|will) you|let['’]?s|let us|i['’]?d like you|i (?:want|need|would like) you|go|do|don['’]?t|"
    r"add|advise|analy[sz]e|answer|argue|brainstorm|build|calculate|change|check|choose|classify|code|compare|compose|"
    r"compute|continue|convert|correct|count|create|debug|define|describe|design|discuss|draft|draw|edit|estimate|"
    r"evaluate|expand|explain|extract|fill|find|fix|format|generate|give|guess|help|identify|illustrate|implement|"
    r"improve|invent|list|make|name|narrate|organi[sz]e|outline|paraphrase|pick|plan|prepare|produce|proofread|propose|"
    r"provide|put|rank|read|recommend|reformat|rephrase|repeat|replace|review|rewrite|say|search|select|shorten|show|"
    r"simplify|sketch|solve|sort|speak|spell|start|state|suggest|summari[sz]e|teach|tell|think|translate|try|turn|use|"
    r"write|what|who|whom|whose|which|why|how|"
    r"(?:where|when) (?:is|are|was|were|do|does|did|can|could|will|would|should)|"
    r"(?:is|are|was|were|does|did|can|could|will|would|should|has|have|may) (?:i|you|he|she|it|we|they|there|the|this|"
    r"that|my|your|our|an?))\b",
    re.IGNORECASE,
)
"""How a request or a question begins. It tells the model nothing, unless it says "my code is" or the like."""
_WORDS = r"(?: [\w'’-]+){0,4}?"
_NAMES: tuple[ValueKind, ...] = ("called", "name")
_QUESTIONS: tuple[tuple[str, str, tuple[ValueKind, ...]], ...] = (
    (r"\b(?:my name is|call me|i am|i['’]m) $", "What is my name?", _NAMES),
    (r"\bi (?:now )?live in (?:the )?$", "Where do I live?", _NAMES),
    (r"\bi (?:now )?work (?:for|at) (?:the )?$", "Where do I work?", _NAMES),
    (r"\bi was born (?:on|in) (?:the )?$", "When was I born?", ("date", "number")),
    (rf"\b(?:an?|my|our) ([\w'’-]+{_WORDS})(?: is| was)? (?:called|named) $", "What is the name of my {0}?", _NAMES),
    (
        rf"\b((?:my|our|the) [\w'’-]+{_WORDS}) (?:is|are|was|will be) (?:on|at) (?:the )?$",
        "When is {0}?",
        ("date", "time"),
    ),
    (rf"\b((?:my|our|the) [\w'’-]+{_WORDS}) (?:is|are|was|=) (?:about |exactly |now )?$", "What is {0}?", tuple(WORTH)),
)
"""The words right before a value, the question they allow, and for which kinds of values."""


def suggest_facts(history: Sequence[Message], most: int = FACTS) -> list[Fact]:
    """The best facts of a conversation, in the order they were said.

    Of two facts with the same question, the later one counts. A sentence that occurs with several values gives none.

    Example: "My dog is called Bo." -> Fact(0, "My dog is called Bo.", "What is the name of my dog?", "Bo")
    """
    found: dict[str, Ranked] = {}
    answers: dict[object, str] = {}
    ambiguous: set[str] = set()
    places = count()
    for index, message in enumerate(history):
        for worth, fact in _facts_in(index, message) if opens_exchange(message) else ():
            earlier = found.pop(fact.question, None)
            if earlier is not None:
                answers.pop(answer_key(earlier.fact.answer), None)
                if GAP in fact.question and answer_key(earlier.fact.answer) != answer_key(fact.answer):
                    ambiguous.add(fact.question)
            if (
                fact.question not in ambiguous
                and answers.setdefault(answer_key(fact.answer), fact.question) == fact.question
            ):
                found[fact.question] = Ranked(-worth, next(places), fact)
    best = sorted(found.values())[:most]
    return [ranked.fact for ranked in sorted(best, key=lambda ranked: (ranked.fact.index, ranked.place))]


class Ranked(NamedTuple):
    """A fact with its sort key: the most valuable first, then in the order they were said."""

    worth: int
    place: int
    fact: Fact


def _facts_in(index: int, message: Message) -> Iterator[tuple[int, Fact]]:
    """Every fact of a message with its worth; a fact with a plain question is worth more."""
    for sentence in _sentences(_text_of(message)):
        for value in _values(sentence):
            answer = sentence[value.start : value.stop]
            plain = _plain_question(sentence[: value.start], value.kind)
            if plain is None and _REQUEST.match(sentence):
                continue
            question = plain or _gap_question(sentence, value)
            if not contains(question, answer):
                yield WORTH[value.kind] + 4 * (plain is not None), Fact(index, sentence, question, answer)


def _text_of(message: Message) -> str:
    """The text of a message, or of its text parts, up to SEARCHED characters."""
    parts = message.content if isinstance(message.content, list) else [message.content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "\n".join(text for text in texts if isinstance(text, str))[:SEARCHED]


def _sentences(text: str) -> Iterator[str]:
    """The sentences of a text without questions and code."""
    for sentence in _SENTENCES.split(_CODE.sub("\n", text)):
        trimmed = sentence.strip(" \t-*•>#\"'“”")
        if trimmed and not trimmed.rstrip(" )\"'”").endswith("?"):
            yield trimmed


def _values(sentence: str) -> list[Value]:
    """The values of a sentence, in order; of two that overlap, the one whose pattern comes first."""
    found: list[Value] = []
    for kind, shape in _SHAPES:
        for match in re.finditer(shape, sentence):
            start, stop = match.span()
            if not any(start < other.stop and other.start < stop for other in found):
                found.append(Value(start, stop, kind))
    return sorted(value for value in found if _is_worth_asking(sentence, value))


def _is_worth_asking(sentence: str, value: Value) -> bool:
    """False for web addresses, single digits, and words that may only be capitalized because a sentence begins."""
    text = sentence[value.start : value.stop]
    if value.kind == "name":
        begins_sentence = not re.search(r"[\w)][\"'”]?,? $", sentence[: value.start])
        return not begins_sentence and text not in _NO_NAMES and text.split()[0] not in _NO_NAMES
    return value.kind != "page" and (value.kind != "number" or sum(char.isdigit() for char in text) > 1)


def _plain_question(before: str, kind: ValueKind) -> str | None:
    """A question in plain words; None if the words before the value allow none."""
    for pattern, question, kinds in _QUESTIONS:
        found = re.search(pattern, before, re.IGNORECASE) if kind in kinds else None
        if found is not None:
            return question.format(*(group[0].lower() + group[1:] for group in found.groups()))
    return None


def _gap_question(sentence: str, value: Value) -> str:
    """The sentence with a gap in place of the value, wherever it occurs."""
    text = sentence[value.start : value.stop]
    before = ("…" if value.start > AROUND else "") + sentence[max(0, value.start - AROUND) : value.start]
    after = sentence[value.stop : value.stop + AROUND] + ("…" if len(sentence) - value.stop > AROUND else "")
    quote = f"{before.replace(text, GAP)}{GAP}{after.replace(text, GAP)}"
    return f"Earlier I wrote: “{quote}” What stood in place of {GAP}?"
