"""Prompt sets: many prompts that are sent to several models, and checks of what they answer.

Each prompt is one request without a history. Its variables are filled in when the set is read, so that a prompt's text
is exactly what is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from lib.errors import CorruptHistory

MOST_PROMPTS = 1_000
MOST_BYTES = 8 * 2**20
"""Bytes of a file."""
LONGEST_TEXT = 400_000
"""Characters of one prompt, with its system prompt and what it is checked against."""

CheckKind = Literal["exact", "contains", "icontains", "regex", "json", "judge"]
KINDS: tuple[CheckKind, ...] = get_args(CheckKind)
CHECK_WORDS: dict[CheckKind, str] = {
    "exact": "is exactly the expected answer",
    "contains": "contains the expected answer",
    "icontains": "contains the expected answer, in any case",
    "regex": "matches the expected regular expression",
    "json": "is valid JSON",
    "judge": "passes in the opinion of a judge, a model that you choose",
}
"""What an answer passes by: "it …"."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an answer. `value` is what it looks for; for a judge, what a good answer is."""

    kind: CheckKind
    value: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt. `text` and `system` are sent as they are; an empty `system` means the model's own setting.

    All of `checks` have to pass. Without any, the check that was chosen for the run looks for `expected`.
    """

    id: str
    text: str
    system: str = ""
    expected: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What was filled in, or came beside the prompt."""
    checks: tuple[Check, ...] = ()

    def checked_by(self, default: CheckKind) -> tuple[Check, ...]:
        """Its checks in a run with this check for prompts that have none of their own; empty if nothing is expected."""
        if self.checks:
            return self.checks
        return (Check(default, self.expected),) if self.expected or default == "json" else ()


@dataclass(frozen=True, slots=True)
class PromptSet:
    """What was read. `notes` name what the file has and Windowseat does not use."""

    name: str
    format: str
    prompts: tuple[Prompt, ...]
    notes: tuple[str, ...] = ()


def pack_prompts(prompts: tuple[Prompt, ...]) -> str:
    """The prompts as a run stores them."""
    return json.dumps([asdict(prompt) for prompt in prompts], ensure_ascii=False, separators=(",", ":"))


def unpack_prompts(stored: str) -> tuple[Prompt, ...]:
    """Read stored prompts. Raises CorruptHistory."""
    try:
        return tuple(_prompt(each) for each in json.loads(stored))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CorruptHistory("The stored prompts of this run cannot be read.", raw=stored[:4000].encode()) from None


def _prompt(stored: Mapping[str, Any]) -> Prompt:
    checks = tuple(Check(each["kind"], str(each["value"])) for each in stored["checks"] if each["kind"] in KINDS)
    variables = {str(name): str(value) for name, value in stored["variables"].items()}
    id_, text, system, expected = (str(stored[name]) for name in ("id", "text", "system", "expected"))
    return Prompt(id_, text, system, expected, variables, checks)
