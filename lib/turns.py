"""Turn: one exchange that is stored. LiveTurn: one that is being answered, or was interrupted.

The rule: a turn holds everything needed to rebuild the request it sent, but the history itself: which stored messages
went out (as runs), the system prompt, and every other field of the request body. MessageSizes are tokens, times are seconds
since the epoch unless the name says ms. Pure; unknown is None.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, Literal

from lib.chat_settings import ChatSettings
from lib.context.plan import ContextPlan, Reason, Summary
from lib.messages import Usage
from lib.tokens import Provenance

TurnStatus = Literal["complete", "stopped", "failed"]

STALE_AFTER = 5.0
"""Seconds without a heartbeat after which a live turn counts as interrupted."""


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A ContextPlan without its messages. Runs are (start, stop, included, reason) over stored indexes.

    The session's system prompt has no stored index: `system_tokens` is its size, None when there was none. The summary
    that was sent behind it has none either. The new message is the last index, `stored`.
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
    """What the request holds beyond its messages; part of input_tokens."""
    fallback: str | None = None
    """Why something else was done than the strategy promises, for people."""
    summary: Summary | None = None
    """The summary that was sent, whole: a later one must not change what this turn is shown to have sent."""
    summary_tokens: int = 0
    pinned: tuple[int, ...] = ()
    """Stored indexes of the user messages whose exchanges were pinned by the person."""

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
            plan.fallback,
            candidates.summary,
            candidates.summary_tokens,
            tuple(sorted(plan.pinned)),
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> PlanSummary:
        """Read a stored summary. Raises KeyError or TypeError where it is not one."""
        needed = {f.name: stored[f.name] for f in fields(cls) if f.default is MISSING}
        later = {f.name: stored[f.name] for f in fields(cls) if f.default is not MISSING and f.name in stored}
        runs = tuple((a, b, bool(c), d) for a, b, c, d in needed["runs"])
        summary = later.get("summary")
        return cls(
            **{
                **needed,
                **later,
                "runs": runs,
                "pinned": tuple(later.get("pinned", ())),
                "summary": None if summary is None else Summary.from_dict(summary),
            }
        )


@dataclass(frozen=True, slots=True)
class Summarized:
    """What a summary took that was made before a request: who wrote it, in how many requests, and their usage together."""

    provider: str
    model: str
    usage: Usage
    duration_ms: float
    requests: int = 1

    @property
    def provenance(self) -> Provenance:
        """Who counted `usage`."""
        return "counted" if self.provider == "local" else "billed"

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any] | None) -> Summarized | None:
        """Read a stored one. Raises KeyError or TypeError where it is not one."""
        return None if stored is None else cls(**{**stored, "usage": Usage.from_dict(stored["usage"])})


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange as it happened. `number` is its place among the session's turns, from 1, given by the store."""

    id: str
    prompt: str
    reply: str
    status: TurnStatus
    provider: str
    model: str
    system_prompt: str
    started_at: float
    plan: PlanSummary | None = None
    """What was sent and left out; None where nothing was planned before the turn ended."""
    request: Mapping[str, Any] = field(default_factory=dict)
    """The request body without its messages and system prompt."""
    request_sha256: str | None = None
    """Of the whole body, as the bytes that went out."""
    usage: Usage = field(default_factory=Usage)
    stop_reason: str | None = None
    request_id: str | None = None
    first_token_ms: float | None = None
    duration_ms: float | None = None
    replaces: int | None = None
    """Stored index of the user message whose exchange this one replaces (it is muted from then on)."""
    summarized: Summarized | None = None
    """What the summary took that was made for this turn; its cost is not part of `usage`."""
    number: int = 0

    @property
    def usage_provenance(self) -> Provenance:
        """Who counted `usage`: the model's own tokenizer on this machine, or the provider that charges for it."""
        return "counted" if self.provider == "local" else "billed"

    def to_dict(self) -> dict[str, Any]:
        """As stored; `number` is left to the store."""
        stored = asdict(self) | {"request": dict(self.request), "usage": self.usage.to_dict()}
        del stored["number"]
        return stored

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], number: int) -> Turn:
        """Read a stored turn. Raises KeyError or TypeError where it is not one."""
        known = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        plan = stored.get("plan")
        return cls(
            **{
                **known,
                "plan": None if plan is None else PlanSummary.from_dict(plan),
                "usage": Usage.from_dict(stored.get("usage") or {}),
                "summarized": Summarized.from_dict(stored.get("summarized")),
                "number": number,
            }
        )


@dataclass(frozen=True, slots=True)
class LiveTurn:
    """The record that locks a session while it is being answered, and keeps the prompt if that goes wrong.

    `age` is the seconds since its last heartbeat by the store's clock, filled in by the store when it is read.
    """

    prompt: str
    settings: ChatSettings
    owner: str
    started_at: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    text: str = ""
    plan: PlanSummary | None = None
    error: Mapping[str, Any] | None = None
    """ChatError.to_dict() of what ended it; None while it runs or when its owner just vanished."""
    replaces: int | None = None
    over_budget_allowed: bool = False
    """The person said to send it although it does not fit."""
    first_token_ms: float | None = None
    phase: str = ""
    """What is being done before the request goes out: "summarizing", or nothing."""
    summarized: Summarized | None = None
    age: float = 0.0

    @property
    def interrupted(self) -> bool:
        """Nobody is answering it any more: it failed, or its owner stopped giving signs of life."""
        return self.error is not None or self.age > STALE_AFTER

    def to_dict(self) -> dict[str, Any]:
        """As stored; `age` is the reader's."""
        stored = asdict(self)
        del stored["age"]
        return stored

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], age: float = 0.0) -> LiveTurn:
        """Read a stored record. Raises KeyError or TypeError where it is not one."""
        known = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        plan = stored.get("plan")
        settings = ChatSettings(**stored["settings"])
        return cls(
            **{
                **known,
                "settings": settings,
                "plan": None if plan is None else PlanSummary.from_dict(plan),
                "summarized": Summarized.from_dict(stored.get("summarized")),
                "age": age,
            }
        )
