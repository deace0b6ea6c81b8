"""Plans a recall probe: which requests ask for which fact, their sizes in tokens, and what they cost at most.

Each question is a new message at the end of the conversation, and its request is planned with the settings of an arm,
as in the chat. Two control arms show what the model can do at best and at worst: "everything" sends the whole history,
"nothing" none of it. Nothing is sent or stored here; lib/lab/recall/run.py asks the questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lib.analysis.bills import FindModel, sum_or_none
from lib.analysis.runs import range_at
from lib.chat_settings import ChatSettings
from lib.context import NO_MARKS, Marks
from lib.context.plan import ContextPlan
from lib.lab.bakeoff import Contestant
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
"""What an arm sends: what its strategy plans, or, for a control, the whole history or none of it. Saved in reports."""
LedgerFor = Callable[[ChatSettings], TokenLedger]
"""Gives the counts of the history by the counter of these settings' model."""
WindowOf = Callable[[ChatSettings], int | None]
"""Gives the tokens that the model of these settings can hold; None if not known."""

ANSWER_TOKENS = 512
"""The longest reply in tokens. Answers are short, but hidden reasoning may not be."""
ADMIT_CLOSING = "If I have not told you, say that you do not know."
"""A sentence after each question. Large models then admit more; small ones get confused, so it is off by default."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to send the conversation."""

    name: str
    settings: ChatSettings
    kind: ArmKind = "plan"


@dataclass(frozen=True, slots=True)
class Question:
    """One question to send. Sizes are tokens."""

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
    """Whether it fits the arm's window; if not, it is not sent."""
    held: bool
    """Whether the request holds the answer, in the fact's message or word for word in another one."""
    cost: Decimal | None
    """The most it can cost in USD: nothing cached, the longest reply. None if no price is known."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What sending all questions would take."""

    requests: int
    """How many would be sent."""
    unfit: int
    """How many would not be sent because they do not fit."""
    tokens: int
    cost: Decimal | None
    """The most it can cost in USD; None if a price is not known."""


def arms_of(contestants: Sequence[Contestant], window_of: WindowOf = lambda settings: None) -> list[Arm]:
    """The contestants as arms, then two controls for each model, with the settings of that model's first contestant.

    The controls' window is the model's own, or the largest among the model's contestants if that is not known.
    Example: two contestants on one model -> their arms, "everything", "nothing"
    """
    by_model: dict[tuple[str, str], list[ChatSettings]] = {}
    for contestant in contestants:
        settings = contestant.settings
        by_model.setdefault((settings.provider, settings.model), []).append(settings)
    arms = [Arm(contestant.name, contestant.settings) for contestant in contestants]
    for (_, model), same_model in by_model.items():
        window = window_of(same_model[0]) or max(settings.max_tokens for settings in same_model)
        control = replace(same_model[0], strategy="none", max_tokens=window)
        suffix = f" ({model})" if len(by_model) > 1 else ""
        arms += [Arm(f"everything{suffix}", control, "everything"), Arm(f"nothing{suffix}", control, "nothing")]
    return arms


def plan_questions(
    history: Sequence[Message],
    facts: Sequence[Fact],
    arms: Sequence[Arm],
    ledger_for: LedgerFor,
    find: FindModel,
    repeats: int = 1,
    answer_tokens: int = ANSWER_TOKENS,
    closing: str = "",
    marks: Marks = NO_MARKS,
) -> list[Question]:
    """Every question of a probe: arm by arm (so that prompt caches help), then fact by fact, then its repeats.

    `answer_tokens` limits a reply, and so does what the arm reserves. `closing` is added to each question. Raises
    ValueError if two arms have the same name.
    Example: plan_questions(history, suggest_facts(history), arms_of(contestants), ledger_for, find, repeats=3)
    """
    if len({arm.name for arm in arms}) < len(arms):
        raise ValueError("two arms have the same name")
    places = {fact: places_of_answer(history, fact) for fact in facts}
    questions = []
    for arm in arms:
        model, ledger = find(arm.settings.provider, arm.settings.model), ledger_for(arm.settings)
        limit = max(1, min(arm.settings.reply_tokens, answer_tokens))
        for fact in facts:
            plan = _plan(history, question_text(fact, closing), arm, ledger, marks)
            held = _holds_answer(plan, fact, places[fact])
            question = _question(fact, arm, plan, limit, held, _highest_cost(model, plan.input_tokens, limit))
            questions += [replace(question, repeat=repeat) for repeat in range(1, max(1, repeats) + 1)]
    return questions


def _question(
    fact: Fact, arm: Arm, plan: ContextPlan, limit: int, held: bool, highest_cost: Decimal | None
) -> Question:
    return Question(
        fact,
        arm,
        1,
        ChatRequest(arm.settings.model, tuple(plan.included), limit, arm.settings.generation),
        plan.input_tokens,
        plan.counter,
        plan.provenance,
        plan.fits,
        held,
        highest_cost,
    )


def estimate(questions: Sequence[Question]) -> Estimate:
    """Sum up what would be sent.

    Example: estimate(plan_questions(...)) -> Estimate(requests=24, unfit=0, tokens=61_200, cost=Decimal("0.08"))
    """
    sent = [question for question in questions if question.fits]
    tokens = sum(question.tokens for question in sent)
    return Estimate(len(sent), len(questions) - len(sent), tokens, sum_or_none(question.cost for question in sent))


def places_of_answer(history: Sequence[Message], fact: Fact) -> list[int]:
    """Stored indexes of the fact's message and of all others that contain its answer word for word.

    Example: "The code is 4711." at 0, "Noted: 4711." at 1 -> [0, 1]
    """
    answer = fact.answer.casefold()
    return [at for at, message in enumerate(history) if at == fact.index or answer in message.text.casefold()]


def question_text(fact: Fact, closing: str = "") -> str:
    """The text of the new message.

    Example: question_text(fact, "Say so if not.") -> "What is the secret code? Say so if not."
    """
    return f"{fact.question} {closing}".strip()


def _plan(history: Sequence[Message], question: str, arm: Arm, ledger: TokenLedger, marks: Marks) -> ContextPlan:
    if arm.kind == "nothing":
        history, ledger = (), TokenLedger(ledger.counter)
    if arm.kind != "plan":
        marks = replace(marks, summary=None)
    return plan_next(arm.settings, marks, history, question, ledger)


def _holds_answer(plan: ContextPlan, fact: Fact, places: Sequence[int]) -> bool:
    """Whether a request holds the answer. `places` are from places_of_answer, for the whole history."""
    answer = fact.answer.casefold()
    candidates = plan.candidates
    preamble = [candidates.system_prompt, candidates.summary.message if candidates.summary else None]
    if any(message is not None and answer in message.text.casefold() for message in preamble):
        return True
    sent = [run for run in PlanSummary.of(plan).runs if run[2]]
    return any(at < len(candidates.history) and range_at(sent, at) is not None for at in places)


def _highest_cost(model: Model | None, tokens: int, reply: int) -> Decimal | None:
    """The larger cost of nothing cached and everything written to the cache, which some vendors charge more for."""
    if model is None:
        return None
    prices = [cost(model, Usage(tokens, 0, written, reply)) for written in (0, tokens)]
    return max((price.total for price in prices if price is not None), default=None)
