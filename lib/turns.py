"""A finished exchange (Turn), and one that is being answered or was interrupted (LiveTurn).

A turn holds everything needed to rebuild the request it sent, except the history itself: which stored messages were
sent (as runs), the system prompt, and every other field of the request body. Sizes are tokens. Times are seconds since
the epoch unless the name says ms. None means unknown. lib/stored_turns.py reads them back.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from lib.chat_settings import ChatSettings
from lib.context.candidates import Summary
from lib.context.plan import ContextPlan
from lib.context.reasons import Reason
from lib.errors import ChatError
from lib.messages import Usage
from lib.recorded_requests import RecordedRequest
from lib.settings import EXAMPLE
from lib.tokens import Provenance

TurnStatus = Literal["complete", "stopped"]

LATER_FIELDS = ("recorded", "reasoning", "reply_id", "cache_diagnosis")
"""Fields of a turn that are stored only if they hold something."""
STALE_AFTER = 5.0
"""Seconds without a heartbeat after which a live turn counts as interrupted."""


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A ContextPlan without its messages. Runs are (start, stop, included, reason) over stored indexes.

    The session's system prompt has no stored index; `system_tokens` is its size, None if there was none. A summary sent
    after it has no stored index either. The new message has the last index, `stored`.
    """

    runs: tuple[tuple[int, int, bool, Reason], ...]
    stored: int
    sent: int
    left_out: int
    input_tokens: int
    system_tokens: int | None
    max_tokens: int
    reserved_for_reply: int
    strategy: str
    counter: str
    provenance: Provenance
    fits: bool
    template_tokens: int = 0
    """Tokens beyond the messages themselves; part of input_tokens."""
    fallback: str | None = None
    """Why the plan differs from what the strategy promises, as a sentence for people."""
    summary: Summary | None = None
    """The whole summary that was sent. A later summary must not change what this turn is shown to have sent."""
    summary_tokens: int = 0
    pinned: tuple[int, ...] = ()
    """Stored indexes of the user messages whose exchanges the person pinned."""
    batch_target: int | None = None
    """Tokens down to which the strategy drops in one batch; None if it drops no more than it must, and in turns that
    were stored before it was recorded."""

    @classmethod
    def of(cls, plan: ContextPlan) -> PlanSummary:
        """Summarise a plan. O(runs)."""
        candidates = plan.candidates
        preamble = candidates.preamble
        runs = [
            (max(0, r.start - preamble), r.stop - preamble, r.included, r.reason)
            for r in plan.runs
            if r.stop > preamble
        ]
        system_tokens = None if candidates.system_prompt is None else candidates.system_tokens
        return cls(
            tuple(runs),
            len(candidates.history),
            plan.included_count,
            plan.left_out_count,
            plan.input_tokens,
            system_tokens,
            plan.window.max_tokens,
            plan.window.reserved_for_reply,
            plan.strategy,
            plan.counter,
            plan.provenance,
            plan.fits,
            plan.template_tokens,
            None if plan.fallback is None else plan.fallback.text,
            candidates.summary,
            candidates.summary_tokens,
            tuple(sorted(plan.pinned)),
            plan.batch_target,
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Summarized:
    """Cost of writing a summary before a request: who wrote it, in how many requests, and their usage together."""

    provider: str
    model: str
    usage: Usage
    duration_ms: float
    requests: int = 1

    @property
    def provenance(self) -> Provenance:
        """Who counted `usage`."""
        return "counted" if self.provider == "local" else "billed"


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange as it happened. `number` counts the session's turns from 1; the store gives it."""

    id: str
    prompt: str
    reply: str
    status: TurnStatus
    provider: str
    model: str
    system_prompt: str
    started_at: float
    plan: PlanSummary | None = None
    """What was sent and what was not; None if the turn ended before it was planned."""
    request: Mapping[str, Any] = field(default_factory=dict)
    """The request body without its messages and system prompt."""
    request_sha256: str | None = None
    """Of the request body, exactly as its bytes were sent."""
    usage: Usage = field(default_factory=Usage)
    stop_reason: str | None = None
    request_id: str | None = None
    first_token_ms: float | None = None
    duration_ms: float | None = None
    replaces: int | None = None
    """Stored index of the user message whose exchange this one replaces. That exchange is muted from then on."""
    summarized: Summarized | None = None
    """Cost of the summary written for this turn; not part of `usage`."""
    note: str = ""
    """What of the answer, or of this record, cannot be used, as sentences for people."""
    recorded: RecordedRequest | None = None
    """How the request was sent, if an app of one's own sent it through the recorder."""
    reasoning: str = ""
    """What the model thought before it answered, as far as the provider lets it be read. The app never sends it
    again."""
    reply_id: str | None = None
    """What the provider called its reply. A later request can name it."""
    cache_diagnosis: Mapping[str, Any] = field(default_factory=dict)
    """What the provider said about its prompt cache, as it came; empty if it was not asked or said nothing."""
    number: int = 0

    @property
    def usage_provenance(self) -> Provenance:
        """Who counted `usage`: the local model's own tokenizer, or the provider that charges for it."""
        return "counted" if self.provider in ("local", EXAMPLE) else "billed"

    def to_dict(self) -> dict[str, Any]:
        """As stored, without `number`, which the store gives, and without later fields that hold nothing."""
        stored = asdict(replace(self, recorded=None)) | {"request": dict(self.request), "usage": self.usage.to_dict()}
        stored["recorded"] = None if self.recorded is None else self.recorded.to_dict()
        for name in LATER_FIELDS:
            if not stored[name]:
                del stored[name]
        del stored["number"]
        return stored


@dataclass(frozen=True, slots=True)
class LiveTurn:
    """The record that locks a session while it is being answered, and keeps the prompt if that goes wrong.

    `age` is the seconds since the last heartbeat by the store's clock. The store fills it in when the record is read.
    """

    prompt: str
    settings: ChatSettings
    owner: str
    started_at: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    text: str = ""
    plan: PlanSummary | None = None
    error: ChatError | None = None
    """What ended it; None while it runs, or if its owner vanished."""
    replaces: int | None = None
    over_budget_allowed: bool = False
    """The person chose to send it although it does not fit."""
    first_token_ms: float | None = None
    phase: str = ""
    """"summarizing" before the request is sent, "storing" while a finished reply waits for the store, or empty."""
    summarized: Summarized | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the request body that are sent besides the provider's own, or instead of them."""
    via: str = ""
    """"http" if a program sent it over the HTTP routes, "record" if an app sent it through the recorder; empty if a
    person sent it on a page."""
    reasoning: str = ""
    """The reasoning that came so far and can be read."""
    age: float = 0.0

    @property
    def interrupted(self) -> bool:
        """Nobody is answering it any more: it failed, or its heartbeat stopped."""
        return self.error is not None or self.age > STALE_AFTER

    def to_dict(self) -> dict[str, Any]:
        """As stored, without `age`, which depends on when it is read."""
        stored = asdict(replace(self, error=None))
        del stored["age"]
        return stored | {"error": None if self.error is None else self.error.to_dict()}
