"""The recall probe, planned: which requests would ask for which fact, how large they are and what they cost at most.

The rule: each question is a new message behind the conversation, and what goes with it is what the arm's settings would send
with it in the chat. Two control arms tell what the model can do at all: "everything" sends the whole history, "nothing" none
of it. Everything is known before anything is sent, and nothing is ever written to the conversation.
It leaves out asking (lib/lab/recall/run.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.analysis.bills import Finder
from lib.chat_settings import ChatSettings
from lib.context import Marks
from lib.context.plan import ContextPlan, Summary
from lib.lab.bakeoff import Contestant, total
from lib.lab.facts import Fact
from lib.messages import Message, Usage
from lib.planner import plan_next
from lib.pricing.costs import cost
from lib.pricing.model import Model
from lib.providers import ChatRequest
from lib.tokens import Provenance
from lib.tokens.ledger import TokenLedger
from lib.turns import PlanSummary

ArmKind = Literal["plan", "everything", "nothing"]
LedgerFor = Callable[[ChatSettings], TokenLedger]
"""The counts of the history by the counter of these settings' model."""
WindowOf = Callable[[ChatSettings], int | None]
"""How many tokens the model of these settings can hold; None where that is not known."""

ANSWER_TOKENS = 512
"""What a reply may be at most: an answer is short, hidden reasoning may not be."""
ASKING = "If I have not told you, say that you do not know."
"""A closing that large models admit more with. Small ones lose the thread over it, so that nothing is said by default."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to send the conversation. For "nothing", the history is left away before the strategy sees it."""

    name: str
    settings: ChatSettings
    kind: ArmKind = "plan"


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to be sent. Sizes are tokens."""

    fact: Fact
    arm: Arm
    repeat: int
    """From 1."""
    request: ChatRequest
    tokens: int
    """The request's size, by the counter of the arm's model."""
    counter: str
    provenance: Provenance
    fits: bool
    """Whether it fits the arm's window; where it does not, it is not sent."""
    held: bool
    """Whether the answer goes along: in the fact's message or word for word in another one that is sent."""
    cost: Decimal | None
    """USD it costs at most: nothing cached, the longest reply. None where no price is known."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking would come to."""

    requests: int
    """How many would be sent."""
    unfit: int
    """How many would not, because they do not fit."""
    tokens: int
    cost: Decimal | None
    """USD at most; None where a price is not known."""


def arms(entries: Sequence[Contestant], window_of: WindowOf = lambda settings: None) -> list[Arm]:
    """The entries as arms, and for each model among them the two controls, with the settings of its first entry.

    The controls' window is the model's own; where that is not known, the largest among the entries of that model.
    Example: two entries on one model -> their arms, "everything", "nothing"
    """
    by_model: dict[tuple[str, str], list[ChatSettings]] = {}
    for entry in entries:
        by_model.setdefault((entry.settings.provider, entry.settings.model), []).append(entry.settings)
    made = [Arm(entry.name, entry.settings) for entry in entries]
    for (_, model), chosen in by_model.items():
        window = window_of(chosen[0]) or max(settings.max_tokens for settings in chosen)
        whole = replace(chosen[0], strategy="none", max_tokens=window)
        where = f" ({model})" if len(by_model) > 1 else ""
        made += [Arm(f"everything{where}", whole, "everything"), Arm(f"nothing{where}", whole, "nothing")]
    return made


def planned(
    history: Sequence[Message],
    facts: Sequence[Fact],
    chosen: Sequence[Arm],
    ledger_for: LedgerFor,
    find: Finder,
    repeats: int = 1,
    answer_tokens: int = ANSWER_TOKENS,
    closing: str = "",
    muted: Collection[int] = (),
    pinned: Collection[int] = (),
    summary: Summary | None = None,
) -> list[Ask]:
    """Every request of a probe, arm by arm (so that prompt caches help), then fact by fact, then again.

    `answer_tokens` is what a reply may be, never more than what the arm reserves; `closing` is said behind each question
    (ASKING, for one); `muted`, `pinned` and `summary` are what
    plan_context takes. Raises ValueError where two arms have the same name.
    Example: planned(history, suggested(history), arms(entries), ledger_for, find, repeats=3)
    """
    if len({arm.name for arm in chosen}) < len(chosen):
        raise ValueError("two arms have the same name")
    places = {fact: said_at(history, fact) for fact in facts}
    asks = []
    for arm in chosen:
        model, ledger = find(arm.settings.provider, arm.settings.model), ledger_for(arm.settings)
        limit = max(1, min(arm.settings.reserved_for_reply, answer_tokens))
        for fact in facts:
            plan = _plan(history, question_of(fact, closing), arm, ledger, muted, pinned, summary)
            request = ChatRequest(arm.settings.model, tuple(plan.included), limit)
            ask = Ask(
                fact,
                arm,
                1,
                request,
                plan.input_tokens,
                plan.counter,
                plan.provenance,
                plan.fits,
                _held(plan, fact, places[fact], arm),
                _at_most(model, plan.input_tokens, limit),
            )
            asks += [replace(ask, repeat=repeat) for repeat in range(1, max(1, repeats) + 1)]
    return asks


def estimate(asks: Iterable[Ask]) -> Estimate:
    """The sums of what would be sent.

    Example: estimate(planned(...)) -> Estimate(requests=24, unfit=0, tokens=61_200, cost=Decimal("0.08"))
    """
    known = list(asks)
    sent = [ask for ask in known if ask.fits]
    tokens = sum(ask.tokens for ask in sent)
    return Estimate(len(sent), len(known) - len(sent), tokens, total(ask.cost for ask in sent))


def said_at(history: Sequence[Message], fact: Fact) -> list[int]:
    """Stored indexes of the messages that hold the answer word for word, the fact's own among them.

    Example: "The code is 4711." at 0, "Noted: 4711." at 1 -> [0, 1]
    """
    wanted = fact.answer.casefold()
    return [at for at, message in enumerate(history) if at == fact.index or wanted in message.text.casefold()]


def question_of(fact: Fact, closing: str = "") -> str:
    """What is sent as the new message.

    Example: question_of(fact, ASKING) -> "What is the secret code? If I have not told you, say that you do not know."
    """
    return f"{fact.question} {closing}".strip()


def _plan(
    history: Sequence[Message],
    question: str,
    arm: Arm,
    ledger: TokenLedger,
    muted: Collection[int],
    pinned: Collection[int],
    summary: Summary | None,
) -> ContextPlan:
    settings = arm.settings
    if arm.kind == "nothing":
        history, ledger = (), TokenLedger(ledger.counter)
    marks = Marks.of(muted, pinned, summary if arm.kind == "plan" else None)
    return plan_next(settings, marks, history, question, ledger)


def _held(plan: ContextPlan, fact: Fact, places: Sequence[int], arm: Arm) -> bool:
    wanted = fact.answer.casefold()
    preamble = [plan.candidates.system_prompt, plan.candidates.summary.message if plan.candidates.summary else None]
    if any(message is not None and wanted in message.text.casefold() for message in preamble):
        return True
    stored = len(plan.candidates.history)
    sent = [run for run in PlanSummary.of(plan).runs if run[2]]
    return any(start <= at < min(stop, stored) for at in places for start, stop, _, _ in sent)


def _at_most(model: Model | None, tokens: int, reply: int) -> Decimal | None:
    """The larger of nothing cached and everything written to the cache, which some vendors charge more for."""
    if model is None:
        return None
    prices = [cost(model, Usage(tokens, 0, written, reply)) for written in (0, tokens)]
    return max((price.total for price in prices if price is not None), default=None)
