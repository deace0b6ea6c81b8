"""Turns the fields of one row into a prompt: fills in its variables and reads its checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.outside_values import shown
from lib.prompt_sets import KINDS, LONGEST_TEXT, MOST_PROMPTS, Check, CheckKind, Prompt
from lib.prompt_sets.checks import pattern_problem
from lib.prompt_sets.reading.problems import Problems, refused

VARIABLE = re.compile(r"\{\{\s*([^{}\s|]+)\s*\}\}")
CHECK_NAMES: dict[str, CheckKind] = {
    **{kind: kind for kind in KINDS},
    "equals": "exact",
    "is-json": "json",
    "llm-rubric": "judge",
}
"""Our names of checks, and promptfoo's."""
LONGEST_ID = 200
"""Characters."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt as a file has it. `where` names its place, such as "Line 3". Without `id` it is numbered."""

    where: str
    text: str
    id: str = ""
    system: str = ""
    expected: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    fills: bool = True
    """Whether {{name}} in its texts stands for a variable."""


def filled(text: str, variables: Mapping[str, str]) -> str:
    """The text with its variables. What is filled in is not looked at again. Raises KeyError for an unknown one.

    Example: filled("Hi {{ name }}", {"name": "Ada"}) -> "Hi Ada"
    """
    return VARIABLE.sub(lambda found: variables[found.group(1)], text)


def check_of(kind: str, value: str) -> Check:
    """A check by our name or promptfoo's. Raises ValueError for an unknown one, and for one that cannot be used."""
    known = CHECK_NAMES.get(kind.strip().lower())
    if known is None:
        raise ValueError(f"the check {shown(kind)} is not known; there are {', '.join(KINDS)}")
    if not value.strip() and known != "json":
        raise ValueError(f"the check “{known}” has nothing to look for")
    problem = pattern_problem(value) if known == "regex" else ""
    if problem:
        raise ValueError(problem)
    return Check(known, value)


def prompts_of(drafts: list[Draft], problems: Problems) -> tuple[Prompt, ...]:
    """The prompts of these drafts. Raises ImportRefused if any of them cannot be used, or there are none."""
    if len(drafts) > MOST_PROMPTS:
        raise refused(f"There are {len(drafts):,} prompts. A set has at most {MOST_PROMPTS:,}.", "Split it.")
    prompts, places = [], dict[str, str]()
    for number, draft in enumerate(drafts, 1):
        try:
            prompt = _prompt(draft, str(number))
        except ValueError as problem:
            problems.add(draft.where, str(problem))
            continue
        if prompt.id in places:
            problems.add(draft.where, f"the id {shown(prompt.id)} was used already, see {places[prompt.id]}")
        places.setdefault(prompt.id, draft.where)
        prompts.append(prompt)
    problems.raise_if_any()
    if not prompts:
        raise refused("There are no prompts in it.")
    return tuple(prompts)


def _prompt(draft: Draft, number: str) -> Prompt:
    fill = (lambda text: filled(text, draft.variables)) if draft.fills else (lambda text: text)
    try:
        checks = tuple(Check(each.kind, fill(each.value)) for each in draft.checks)
        text, system, expected = fill(draft.text), fill(draft.system), fill(draft.expected)
    except KeyError as problem:
        raise ValueError(f"there is no value for {{{{{problem.args[0]}}}}}") from None
    if not text.strip():
        raise ValueError("the prompt is empty")
    if len(text) + len(system) + len(expected) + sum(len(each.value) for each in checks) > LONGEST_TEXT:
        raise ValueError(f"the prompt has more than {LONGEST_TEXT:,} characters")
    checks = tuple(check_of(each.kind, each.value) for each in checks)
    return Prompt(draft.id.strip()[:LONGEST_ID] or number, text, system, expected, dict(draft.variables), checks)
