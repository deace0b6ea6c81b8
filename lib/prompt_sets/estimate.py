"""Works out what a run takes, before anything is sent: requests, tokens and the most that it can cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib.chat_settings import ChatSettings
from lib.messages import system, user
from lib.pricing.costs import most_cost
from lib.prompt_sets import CheckKind, Prompt
from lib.prompt_sets.judge import judge_messages
from lib.spending.meter import FindModel
from lib.tokens import Provenance, TokenCounter

CounterFor = Callable[[ChatSettings], TokenCounter]
"""The counter of a model that asks no server."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one model takes. `output` is the most that it may write. `unfit` requests do not fit its window and are not
    sent. `most` is USD; None where no price is known."""

    requests: int
    input: int
    output: int
    provenance: Provenance
    counter: str
    unfit: int
    most: Decimal | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The share of each model in their order, and the judge's; None without one, or if it has nothing to judge."""

    models: tuple[Share, ...]
    judge: Share | None

    @property
    def shares(self) -> tuple[Share, ...]:
        """All of them."""
        return self.models if self.judge is None else (*self.models, self.judge)

    @property
    def requests(self) -> int:
        return sum(each.requests for each in self.shares)

    @property
    def most(self) -> Decimal:
        """USD of what has a known price."""
        return sum((each.most for each in self.shares if each.most is not None), Decimal(0))

    @property
    def unpriced(self) -> int:
        """Requests without a known price."""
        return sum(each.requests for each in self.shares if each.most is None)


def estimate(
    prompts: Sequence[Prompt],
    models: Sequence[ChatSettings],
    check: CheckKind,
    judge: ChatSettings | None,
    counter_for: CounterFor,
    find: FindModel,
) -> Estimate:
    """What these prompts take on these models, and what judging all answers takes at most."""
    shares = tuple(_share(prompts, settings, counter_for(settings), find) for settings in models)
    if judge is None:
        return Estimate(shares, None)
    judged = [each for each in prompts if any(one.kind == "judge" for one in each.checked_by(check))]
    if not judged:
        return Estimate(shares, None)
    return Estimate(shares, _judging(judged, models, check, judge, counter_for(judge), find))


def _share(prompts: Sequence[Prompt], settings: ChatSettings, counter: TokenCounter, find: FindModel) -> Share:
    texts = counter.count_many([user(prompt.text) for prompt in prompts])
    systems = {text: 0 for text in {prompt.system or settings.system_prompt for prompt in prompts} if text.strip()}
    sizes = dict(zip(systems, counter.count_many([system(text) for text in systems]), strict=True))
    wholes = []
    for prompt, size in zip(prompts, texts, strict=True):
        instructions = sizes.get(prompt.system or settings.system_prompt, 0)
        wholes.append(size + instructions + counter.template(bool(instructions)))
    fitting = [size for size in wholes if size <= settings.window.input_budget]
    return _priced(fitting, settings, counter, find, len(wholes) - len(fitting))


def _judging(
    prompts: Sequence[Prompt],
    models: Sequence[ChatSettings],
    check: CheckKind,
    judge: ChatSettings,
    counter: TokenCounter,
    find: FindModel,
) -> Share:
    """A judge reads the question, what is wanted, and an answer that takes all its room."""
    sizes = []
    for prompt in prompts:
        messages = judge_messages(prompt, prompt.checked_by(check), "")
        read = sum(counter.count_many(messages)) + counter.template(True)
        sizes += [read + settings.reply_tokens for settings in models]
    return _priced(sizes, judge, counter, find, 0)


def _priced(sizes: Sequence[int], settings: ChatSettings, counter: TokenCounter, find: FindModel, unfit: int) -> Share:
    model, reply = find(settings.provider, settings.model), settings.reply_tokens
    costs = [None if model is None else most_cost(model, size, reply) for size in sizes]
    known = [each for each in costs if each is not None]
    most = sum(known, Decimal(0)) if len(known) == len(costs) and model is not None else None
    return Share(len(sizes), sum(sizes), reply * len(sizes), counter.provenance, counter.name, unfit, most)
