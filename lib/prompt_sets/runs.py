"""The values of a run: which models are asked, and what each of them answered. They are stored as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from lib import outside_values
from lib.chat_settings import ChatSettings
from lib.errors import CorruptHistory
from lib.messages import Usage, utf8_safe
from lib.prompt_sets import KINDS, CheckKind
from lib.tokens import PROVENANCE_TEXT, Provenance

State = Literal["running", "done", "stopped", "capped", "failed"]
Outcome = Literal["passed", "failed", "unchecked", "unjudged", "error"]
OUTCOME_WORDS: dict[Outcome, str] = {
    "passed": "passed",
    "failed": "failed",
    "unchecked": "not checked",
    "unjudged": "could not be checked",
    "error": "no answer",
}
LONGEST_ANSWER = 400_000
"""Characters of an answer that are stored."""
MOST_MODELS = 12
NO_SETTINGS = ChatSettings("", "", "", 0, 0, "")


@dataclass(frozen=True, slots=True)
class Run:
    """What a run asks. `cap` is in USD, None without one; `created_at` in seconds since the epoch.

    `check` is the one for prompts that have none of their own. `note` says why the run ended before its end.
    """

    id: str
    name: str
    set_name: str
    created_at: float
    models: tuple[ChatSettings, ...]
    prompts: int
    check: CheckKind = "icontains"
    judge: ChatSettings | None = None
    cap: Decimal | None = None
    state: State = "running"
    note: str = ""

    @property
    def total(self) -> int:
        """Answers that a whole run has."""
        return self.prompts * len(self.models)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each model is called in this run: its name, with what tells it from another one of the same name."""
        names = [each.model or each.provider for each in self.models]
        pairs = zip(names, self.models, strict=True)
        longer = [_longer(name, each) if names.count(name) > 1 else name for name, each in pairs]
        return tuple(
            f"{name} ({longer[: place + 1].count(name)})" if longer.count(name) > 1 else name
            for place, name in enumerate(longer)
        )


def _longer(name: str, settings: ChatSettings) -> str:
    further = [settings.provider, settings.generation.summary]
    return f"{name} ({', '.join(filter(None, further))})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one model answered to one prompt. `prompt` and `model` are their places in the run, from 0.

    `cost` and `judge_cost` are USD at list prices, None if the price or the usage is not known. Times are seconds.
    """

    prompt: int
    model: int
    text: str = ""
    usage: Usage = field(default_factory=Usage)
    """As the provider reported it."""
    seconds: float | None = None
    first_seconds: float | None = None
    """Until the first word."""
    cost: Decimal | None = None
    tokens: int | None = None
    """Of the request, as they were counted before it was sent."""
    counter: str = ""
    provenance: Provenance = "estimated"
    sha256: str = ""
    """Of the request's body."""
    stop_reason: str = ""
    attempts: int = 1
    error: Mapping[str, Any] | None = None
    """ChatError.to_dict() of why there is no answer."""
    checked: bool = True
    """False until all checks were made."""
    passed: bool | None = None
    """None if nothing was checked, or could be."""
    reason: str = ""
    """Why it passed or not, in words."""
    judged: bool = False
    """Whether a model judged it."""
    judge_usage: Usage = field(default_factory=Usage)
    judge_cost: Decimal | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Which answer of the run it is."""
        return self.prompt, self.model

    @property
    def outcome(self) -> Outcome:
        """What became of it, in one word."""
        if self.error is not None:
            return "error"
        if self.passed is not None:
            return "passed" if self.passed else "failed"
        return "unchecked" if self.checked and not self.reason else "unjudged"

    @property
    def is_settled(self) -> bool:
        """Whether it is there, and every check was made or tried."""
        return self.error is None and self.checked

    @property
    def is_final(self) -> bool:
        """Whether going on with the run would not ask or check it again."""
        return self.outcome in ("passed", "failed", "unchecked")


def pack_run(run: Run) -> str:
    """The head of a run as it is stored. It holds no key."""
    stored = {name: getattr(run, name) for name in ("id", "name", "set_name", "created_at", "prompts", "check")}
    stored |= {"models": [each.to_dict() for each in run.models], "state": run.state, "note": run.note}
    stored["judge"] = None if run.judge is None else run.judge.to_dict()
    stored["cap"] = None if run.cap is None else str(run.cap)
    return _json(stored)


def unpack_run(stored: str) -> Run:
    """Read a stored head. Raises CorruptHistory."""
    try:
        values = json.loads(stored)
        judge = values.get("judge")
        return Run(
            str(values["id"]),
            str(values["name"]),
            str(values["set_name"]),
            outside_values.moment(values["created_at"]) or 0.0,
            tuple(NO_SETTINGS.updated(each) for each in values["models"]),
            outside_values.count(values["prompts"]) or 0,
            values["check"] if values["check"] in KINDS else "icontains",
            None if judge is None else NO_SETTINGS.updated(judge),
            _decimal(values.get("cap")),
            values["state"] if values["state"] in get_args(State) else "stopped",
            str(values.get("note", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CorruptHistory("The stored head of a run cannot be read.", raw=stored[:4000].encode()) from None


def name_of(place: tuple[int, int]) -> str:
    """What the store calls an answer. Example: name_of((12, 0)) -> "12.0" """
    return f"{place[0]}.{place[1]}"


def pack_answer(answer: Answer) -> str:
    """An answer as it is stored."""
    stored = {name: getattr(answer, name) for name in Answer.__slots__}
    for name in ("usage", "judge_usage"):
        stored[name] = stored[name].to_dict()
    for name in ("cost", "judge_cost"):
        stored[name] = None if stored[name] is None else str(stored[name])
    return _json(stored | {"text": utf8_safe(answer.text)})


def unpack_answer(stored: str) -> Answer | None:
    """Read a stored answer. One that cannot be read counts as none, so that it is asked for again."""
    try:
        values = json.loads(stored)
        prompt, model = outside_values.count(values["prompt"]), outside_values.count(values["model"])
        assert prompt is not None
        assert model is not None
        return Answer(
            prompt,
            model,
            str(values["text"]),
            Usage.from_dict(values["usage"]),
            outside_values.number(values["seconds"]),
            outside_values.number(values["first_seconds"]),
            _decimal(values["cost"]),
            outside_values.count(values["tokens"]),
            str(values["counter"]),
            values["provenance"] if values["provenance"] in PROVENANCE_TEXT else "estimated",
            str(values["sha256"]),
            str(values["stop_reason"]),
            outside_values.count(values["attempts"]) or 1,
            outside_values.mapping(values["error"]),
            values["checked"] is True,
            values["passed"] if isinstance(values["passed"], bool) else None,
            str(values["reason"]),
            values["judged"] is True,
            Usage.from_dict(values["judge_usage"]),
            _decimal(values["judge_cost"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError):
        return None


def _decimal(stored: Any) -> Decimal | None:
    try:
        found = Decimal(stored) if isinstance(stored, str) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
