"""Every sentence of the tokens page that states a number, worked out again from the stored turns and messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.context import NO_MARKS
from lib.lab.example import EXAMPLE
from lib.messages import Message, Usage, assistant, system, user
from lib.planner import plan_next
from lib.pricing import catalogue
from lib.pricing.costs import cost
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.tokens.model_counters import counter_for
from lib.turns import LiveTurn, PlanSummary, Turn
from lib.ui.format import numbers
from lib.ui.shell import services
from lib.ui.tokens.counters import error_words
from tests.support.app.pages import SESSION, page, written_elsewhere
from tests.support.counters import WordCounter

TABS = ("Request by request", "Who counted", "Money", "Inside a message")
LOCAL, HOSTED, UNPRICED = ("local", "small"), ("openai", "gpt-5-mini"), ("openai", "a-model-of-my-own")
SYSTEM_PROMPT = "Be brief."
WORDS = WordCounter()


def counter_of(settings: ChatSettings, provider: object = None) -> TokenCounter:
    return WORDS if settings.provider == "local" else counter_for(settings.provider, settings.model)


@dataclass(frozen=True)
class Conversation:
    """Which model answers each turn, and how the provider's count differs from ours."""

    models: Sequence[tuple[str, str]]
    window: int = 4096
    foreign: int = 0
    unreported: int = 0
    """The first turns report nothing."""
    extra: int = 0
    """Tokens that the server counts beyond ours."""


CONVERSATIONS = {
    "billed": Conversation([HOSTED] * 4),
    "billed, and the server counts more": Conversation([HOSTED] * 3, extra=7),
    "local": Conversation([LOCAL] * 3),
    "local, then billed, then local": Conversation([LOCAL, LOCAL, HOSTED, LOCAL]),
    "two providers in a small window": Conversation([LOCAL, HOSTED] * 4, window=260),
    "no known price": Conversation([UNPRICED, LOCAL, HOSTED], foreign=1),
    "one request": Conversation([HOSTED]),
    "nothing reported": Conversation([HOSTED] * 3, unreported=2),
}


def settings_of(model: tuple[str, str], window: int) -> ChatSettings:
    return ChatSettings(*model, SYSTEM_PROMPT, window, 64, "oldest_first")


def store_all(chat: ChatService, conversation: Conversation) -> None:
    pairs = [(EXAMPLE[at].text, EXAMPLE[at + 1].text) for at in range(0, len(EXAMPLE), 2)]
    for place, model in enumerate(conversation.models):
        prompt, reply = pairs[place]
        chosen = settings_of(model, conversation.window)
        counter = counter_of(chosen)
        plan = plan_next(chosen, NO_MARKS, list(chat.store.load(SESSION)), prompt, TokenLedger(counter))
        read, wrote = plan.input_tokens + conversation.extra, counter.count(assistant(reply))
        usage = Usage() if place < conversation.unreported else Usage(read, read // 3, None, wrote)
        live = LiveTurn(prompt, chosen, "test", 0.0)
        chat.store.begin(SESSION, live)
        turn = Turn(
            live.id, prompt, reply, "complete", *model, SYSTEM_PROMPT, 0.0, plan=PlanSummary.of(plan), usage=usage
        )
        chat.store.commit(SESSION, live.id, [user(prompt), assistant(reply)], turn)
    for _ in range(conversation.foreign):
        written_elsewhere(chat, user("theirs"), assistant("yes"))
    chat.store.save_settings(SESSION, settings_of(conversation.models[-1], conversation.window).to_dict())


@dataclass(frozen=True)
class Request:
    """One request, worked out from what is stored."""

    provider: str
    model: str
    counter: TokenCounter
    question: Message
    counted: int
    dropped: int
    reply: int
    usage: Usage | None

    @property
    def sent(self) -> int:
        reported = self.usage.input_tokens if self.usage is not None else None
        return self.counted if reported is None else reported

    @property
    def who(self) -> str:
        if self.usage is None:
            return self.counter.provenance
        return "counted" if self.provider == "local" else "billed"

    @property
    def cost(self) -> Decimal | None:
        if not self.model:
            return None
        model = catalogue.find(self.provider, self.model)
        price = None if model is None else cost(model, self.usage or Usage(self.counted, None, None, self.reply))
        return None if price is None else price.total


def requests_of(chat: ChatService) -> list[Request]:
    history, turns = list(chat.store.load(SESSION)), chat.store.turns(SESSION)
    now = ChatSettings(**chat.store.about(SESSION).settings)
    by_place = {turn.plan.stored: turn for turn in turns if turn.plan is not None}
    found = []
    for at in range(0, len(history), 2):
        turn = by_place.get(at)
        chosen = now if turn is None else replace(now, provider=turn.provider, model=turn.model)
        counter = counter_of(chosen)
        runs = ((0, at + 1, True, "fits"),) if turn is None or turn.plan is None else turn.plan.runs
        held = [index for start, stop, included, _ in runs if included for index in range(start, stop)]
        preamble = [] if turn is None else [system(SYSTEM_PROMPT)]
        size = sum(map(counter.count, [*preamble, *(history[index] for index in held)]))
        found.append(
            Request(
                "" if turn is None else turn.provider,
                "" if turn is None else turn.model,
                counter,
                history[at],
                size + counter.template(bool(preamble)),
                sum(counter.count(history[index]) for index in range(at) if index not in held),
                counter.count(history[at + 1]),
                None if turn is None or turn.usage.input_tokens is None else turn.usage,
            )
        )
    return found


def tokens(count: int) -> str:
    return f"{count:,} token{'' if count == 1 else 's'}"


def headline(requests: Sequence[Request]) -> str:
    typed = sum(request.counter.count(request.question) for request in requests)
    kinds = dict.fromkeys(request.who for request in requests)
    shares = {who: sum(request.sent for request in requests if request.who == who) for who in kinds}
    split = ", ".join(f"{count:,} {who}" for who, count in shares.items()) if len(kinds) > 1 else next(iter(kinds))
    models = {request.model for request in requests if request.model}
    verb = "The models were sent" if len(models) > 1 else "The model was sent"
    verb = "You have paid for" if set(kinds) == {"billed"} else verb
    because = ", because every request sends the conversation again" if len(requests) > 1 else ""
    typed_by = " and ".join(dict.fromkeys(request.counter.provenance for request in requests))
    return f"##### You have typed {tokens(typed)} ({typed_by}). {verb} {sum(shares.values()):,} ({split}){because}."


def price_sentences(requests: Sequence[Request]) -> list[str]:
    hosted = [request for request in requests if request.provider != "local"]
    costs = [request.cost for request in hosted if request.cost is not None]
    free, unknown = len(requests) - len(hosted), len(hosted) - len(costs)
    said = [f"It cost **{numbers.money(sum(costs, Decimal(0)))}**"] if costs else []
    if free:
        alone = free == len(requests)
        said.append("It cost **nothing**" if alone else f"{free} of {len(requests)} requests ran on this machine")
    if unknown:
        said.append(f"For {unknown} of {len(requests)} requests no price is known")
    return said


def latest(requests: Sequence[Request]) -> str:
    last = requests[-1]
    new = f"{last.counter.count(last.question):,} of them new"
    new += "" if last.who == last.counter.provenance else f" ({last.counter.provenance})"
    return f"**Latest request: {tokens(last.sent)} ({last.who}), {new}.**"


def opened(tab: str) -> AppTest:
    at = page("pages/tokens.py", state={"tokens_tab": tab})
    assert not at.exception, at.exception
    return at


@pytest.fixture(params=list(CONVERSATIONS))
def requests(request: pytest.FixtureRequest, chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests of one stored conversation. OpenAI is OpenAI here, so it has prices; nothing is sent to it."""
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setattr(services, "counter_of", counter_of)
    st.cache_resource.clear()
    services.chat()
    store_all(services.chat(), CONVERSATIONS[request.param])
    return requests_of(services.chat())


def sentences(at: AppTest) -> list[str]:
    return [element.value for element in (*at.markdown, *at.caption, *at.info)]


def test_the_headline_and_the_latest_request_are_those_of_the_stored_turns(requests: list[Request]) -> None:
    at = opened(TABS[0])
    said = sentences(at)
    assert headline(requests) in said
    assert any(all(part in each for part in price_sentences(requests)) for each in said), said
    takeaway = next(each for each in said if each.startswith("**Latest request"))
    assert takeaway.startswith(latest(requests))
    assert (f"{tokens(requests[-1].dropped)} of earlier messages were dropped" in takeaway) == bool(
        requests[-1].dropped
    )
    names = list(dict.fromkeys(f"{request.counter.name} ({request.counter.provenance})" for request in requests))
    certainty = next(each for each in said if "Message sizes are by" in each)
    assert certainty.startswith(f"{len(requests)} request{'' if len(requests) == 1 else 's'}.")
    assert certainty.endswith(f"{', '.join(names)}.")
    unrecorded = sum(not request.model for request in requests)
    assert (f"For {unrecorded} message no turn was recorded" in certainty) == bool(unrecorded)


def test_the_errors_of_the_counters_are_those_of_the_stored_turns(requests: list[Request]) -> None:
    at = opened(TABS[1])
    said = "\n".join(sentences(at))
    for counter in (ESTIMATE, *{request.counter: None for request in requests}):
        own = counter is not ESTIMATE
        counted = [
            (request, size_by(counter, request)) for request in requests if not own or request.counter == counter
        ]
        errors = [100 * (size - request.sent) / request.sent for request, size in counted]
        twice = len({request.counter.provenance for request in requests if request.counter.name == counter.name}) > 1
        name = f"{counter.name} ({counter.provenance})" if twice else counter.name
        found = re.search(rf"\*\*{re.escape(name)} ((?:is off by|counts) [^*]+)\.\*\*", said)
        if max(map(abs, errors)) < 0.05:
            assert found is None, said
            continue
        assert found is not None, said
        assert found[1] == error_words(min(errors), max(errors))


def size_by(counter: TokenCounter, request: Request) -> int:
    """A request's size by another counter: all its messages again."""
    if counter is not ESTIMATE:
        return request.counted
    history = list(services.chat().store.load(SESSION))
    at = history.index(request.question)
    turn = next((turn for turn in services.chat().store.turns(SESSION) if turn.plan and turn.plan.stored == at), None)
    runs = ((0, at + 1, True, "fits"),) if turn is None or turn.plan is None else turn.plan.runs
    held = [history[index] for start, stop, included, _ in runs if included for index in range(start, stop)]
    return sum(map(counter.count, [*([system(SYSTEM_PROMPT)] if turn else []), *held]))


def test_the_money_sentences_are_those_of_the_stored_turns(requests: list[Request]) -> None:
    at = opened(TABS[2])
    said = "\n".join(sentences(at))
    costs = [cost_parts(request) for request in requests if request.cost]
    if costs:
        total = sum((whole for whole, _ in costs), Decimal(0))
        read = sum((part for _, part in costs), Decimal(0))
        assert f"**{numbers.percent(read, total)} of {numbers.money(total)} went into reading" in said
    low, low_name, high, high_name, times = re.findall(
        r"\*\*From (\S+) on (\S+) to (\S+) on (\S+):\*\* ([\d,]+) times as much", said
    )[0]
    prices = {name: elsewhere(name, requests) for name in (low_name, high_name)}
    assert (low, high) == tuple(numbers.money(prices[name]) for name in (low_name, high_name))
    assert times == f"{prices[high_name] / prices[low_name]:,.0f}"


def cost_parts(request: Request) -> tuple[Decimal, Decimal]:
    """What a request cost in USD, and how much of that for reading."""
    model = catalogue.find(request.provider, request.model)
    assert model is not None
    price = cost(model, request.usage or Usage(request.counted, None, None, request.reply))
    assert price is not None
    return price.total, price.total - price.output


def elsewhere(name: str, requests: Sequence[Request]) -> Decimal:
    """What the same requests cost on another model, counted by its own tokenizer, with nothing cached."""
    model = next(each for each in catalogue.catalogue() if each.name == name)
    counter = counter_for(model.vendor, name)
    history = list(services.chat().store.load(SESSION))
    turns = {turn.plan.stored: turn for turn in services.chat().store.turns(SESSION) if turn.plan is not None}
    total = Decimal(0)
    for place in range(len(requests)):
        at = 2 * place
        turn = turns.get(at)
        runs = ((0, at + 1, True, "fits"),) if turn is None or turn.plan is None else turn.plan.runs
        held = [history[index] for start, stop, included, _ in runs if included for index in range(start, stop)]
        preamble = [] if turn is None else [system(SYSTEM_PROMPT)]
        size = sum(map(counter.count, [*preamble, *held])) + counter.template(bool(preamble))
        price = cost(model, Usage(size, None, None, counter.count(history[at + 1])))
        assert price is not None
        total += price.total
    return total


PATTERNS: dict[str, Sequence[str]] = {
    TABS[0]: (r"^\*\*Latest request: ",),
    TABS[1]: (r" is off by | counts |^\*\*All counters agree", r"^\*\*\w+\*\*: "),
    TABS[2]: (
        r" went into reading the conversation",
        r"^\*\*From \S+ on ",
        r"^\*\*By turn 100 it comes to ",
        r"^Counted by ",
        r"run together",
        r"^prices: genai-prices",
    ),
    TABS[3]: (r" into [\d,]+ tokens?\*\*",),
}
ON_EVERY_TAB = (r"^##### You have typed", r"^It cost |ran on this machine|cost is not known", r"Message sizes are by")
FRAME = r"^\*\*.+\*\* · .+ · window [\d,]+ tokens| expires in | does not expire"
"""The line at the top of every page and the list of chats; tests/ui/test_frame.py is about them."""
OTHERS = (FRAME, r"characters / 4, rounded up per message", r"vocabulary of [\d,]+ tokens")
"""Explanations that state no fact of this conversation."""


@pytest.mark.parametrize("tab", TABS)
def test_no_sentence_with_a_number_is_left_out_of_these_tests(requests: list[Request], tab: str) -> None:
    known = (*ON_EVERY_TAB, *PATTERNS[tab], *OTHERS)
    for sentence in sentences(opened(tab)):
        if re.search(r"\d", sentence):
            assert any(re.search(pattern, sentence) for pattern in known), sentence


def test_the_projection_is_that_of_the_table_below_it(requests: list[Request]) -> None:
    at = page("pages/tokens.py", state={"tokens_tab": TABS[2], "table:growth": True})
    frame = at.dataframe[-1].value
    last = frame[frame["turn"] == 100].set_index("strategy").iloc[:, -1]
    said = "\n".join(sentences(at))
    spoken = re.findall(r"(\$[\d.]+) with “([^”]+)”", said.split("**By turn 100 it comes to ")[1].split(".**")[0])
    assert len(spoken) == min(2, len(last))
    for amount, name in spoken:
        assert amount == numbers.money(Decimal(str(last[name])))
    assert {amount for amount, _ in spoken} == {numbers.money(Decimal(str(each))) for each in (last.min(), last.max())}
    for name, turn in re.findall(r"“([^”]+)” stops fitting at turn (\d+)\.", said):
        assert frame[frame["strategy"] == name]["turn"].max() == int(turn) - 1
