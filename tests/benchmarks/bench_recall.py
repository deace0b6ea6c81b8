"""How often the model on this machine still knows what it was told: every starter, the example in the chat input, and
facts told in other words.

Run: python -m tests.benchmarks.bench_recall. Whoever changes the model, its sampling or the starters looks here first:
each starter should be right in at least 95 % of its runs. Every run is a chat of its own, through the app, with the
settings of a new chat. The model answers the same request always alike, so the runs differ in the value they tell.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.context import DEFAULT_STRATEGY
from lib.history.memory import InMemoryHistory
from lib.lab.answer_match import contains
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.settings import load_settings
from lib.ui.chat.welcome import CAPITAL, CODE, DOG, EXAMPLE, FOLLOW_UPS, STARTERS
from lib.ui.shell.session_settings import SYSTEM_PROMPT

CODES = "4711 7421 3906 1284 9057 6630 2418 8193 5572 3047 1946 7710 6285 9438 2061 5129 8804 3371 4596 6913"
NAMES = (
    "Bruno Rex Luna Max Bella Rocky Daisy Milo Coco Oscar Ruby Toby Nala Simba Pepper Ziggy Otto Biscuit Hazel Waldo"
)
TIMES = (
    "9:15 10:40 7:05 16:20 8:30 11:55 14:10 18:45 6:25 12:50 15:35 17:05 20:10 13:20 19:40 5:55 21:15 22:30 9:50 8:05"
)
CITIES = (
    *(
        "Japan Tokyo",
        "Germany Berlin",
        "Italy Rome",
        "Spain Madrid",
        "France Paris",
        "Portugal Lisbon",
        "Greece Athens",
    ),
    *("Austria Vienna", "Poland Warsaw", "Egypt Cairo", "Sweden Stockholm", "Norway Oslo", "Finland Helsinki"),
    *("Denmark Copenhagen", "Ireland Dublin", "Hungary Budapest", "Russia Moscow", "Cuba Havana", "Peru Lima"),
    "Belgium Brussels",
)
VALUES: dict[str, Sequence[str]] = {
    CODE: CODES.split(),
    DOG: NAMES.split(),
    EXAMPLE: TIMES.split(),
    CAPITAL: [city.split()[1] for city in CITIES],
}
"""What the runs of a starter tell or expect. The first is the starter's own."""
OWN_WORDS = (
    ("The secret code is {}. Remember it.", "What is the secret code?", CODES.split()),
    ("My dog is called {}.", "What is my dog called?", NAMES.split()),
    ("My train leaves at {}.", "When does my train leave?", TIMES.split()),
    ("I live in {}.", "Where do I live?", VALUES[CAPITAL]),
)
"""How people tell a fact and ask for it without knowing what helps a small model."""
BETWEEN = ("Name three fruits.", "Why is the sky blue?", "What do cows eat?")
"""What is asked before the question about the fact, in the second column."""


@dataclass(frozen=True, slots=True)
class Case:
    """Texts to send one after the other, and what the last reply must contain."""

    texts: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that the page offers, with its runs: first as it is offered, then with other values."""

    text: str
    runs: tuple[Case, ...]


def offers() -> list[Offer]:
    """The starters in the order of the page, and the example in the chat input.

    Raises KeyError for a starter without values here.
    """
    return [Offer(text, tuple(_runs(text))) for text in (*STARTERS.values(), EXAMPLE)]


def _runs(text: str) -> Iterator[Case]:
    values = VALUES[text]
    for place, value in enumerate(values):
        if text == CAPITAL:
            yield Case((text.replace(CITIES[0].split()[0], CITIES[place].split()[0]),), value)
        else:
            yield Case((text.replace(values[0], value), FOLLOW_UPS[text]), value)


def in_own_words() -> list[Case]:
    """Twenty facts that are told in other words, five of each kind."""
    return [Case((told.format(value), question), value) for told, question, values in OWN_WORDS for value in values[:5]]


def main() -> None:
    """Print the table. It takes five to fifteen minutes."""
    model = LocalModel()
    endpoint = load_settings({}).endpoints["local"]
    settings = ChatSettings("local", model.name, SYSTEM_PROMPT, endpoint.window, endpoint.reserve, DEFAULT_STRATEGY)
    chat = ChatService(InMemoryHistory(3600))
    print(f"\nRight answers of {model.name:<36}as offered  with other values  after three questions")
    try:
        for offer in offers():
            at_once = rate(chat, model, settings, offer.runs)
            told = offer.text in FOLLOW_UPS
            later = rate(chat, model, settings, [after_others(run) for run in offer.runs]) if told else None
            report(offer.text, at_once, later)
        report("facts in other words", rate(chat, model, settings, in_own_words()), None)
    finally:
        chat.close()
        model.close()


def after_others(case: Case) -> Case:
    """The same with other questions before the last one."""
    return Case((*case.texts[:-1], *BETWEEN, case.texts[-1]), case.answer)


def rate(chat: ChatService, model: LocalModel, settings: ChatSettings, cases: Sequence[Case]) -> list[bool]:
    """Whether each case got the right answer."""
    return [contains(last_reply(chat, model, settings, case.texts), case.answer) for case in cases]


def last_reply(chat: ChatService, model: LocalModel, settings: ChatSettings, texts: Sequence[str]) -> str:
    """Send the texts in a new chat; the reply to the last one."""
    session_id = f"recall-{time.monotonic_ns()}"
    for text in texts:
        live = chat.send(session_id, text, settings, lambda _: LocalProvider(model))
        for state in chat.follow(session_id, live.id):
            if state.error is not None:
                raise state.error
    return chat.store.load(session_id)[-1].text


def report(label: str, at_once: Sequence[bool], later: Sequence[bool] | None) -> None:
    """Print one row. The first run of an offer is what the page offers."""
    offered = "" if label not in VALUES else "right" if at_once[0] else "wrong"
    rest = "" if later is None else f"{sum(later)} of {len(later)}"
    print(f"  {label:<52}{offered:>10}  {f'{sum(at_once)} of {len(at_once)}':>17}  {rest:>21}", flush=True)


if __name__ == "__main__":
    main()
