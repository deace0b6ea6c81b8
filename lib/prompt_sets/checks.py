"""Checks an answer against what was expected. Nothing here asks a model; lib/prompt_sets/judge.py does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from lib.outside_values import shown
from lib.prompt_sets import Check

REGEX_SECONDS = 1.0
"""How long one regular expression may take. Some need longer than the universe for a few dozen characters."""
LONGEST_PATTERN = 2_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a check passed, None if it could not be made, and why in words."""

    passed: bool | None
    reason: str


def run_checks(checks: Iterable[Check], text: str) -> Verdict | None:
    """The verdict of all checks but the judge's: the first that does not pass, else the last. None without any."""
    verdict = None
    for check in checks:
        if check.kind != "judge":
            verdict = run_check(check, text)
            if not verdict.passed:
                return verdict
    return verdict


def run_check(check: Check, text: str) -> Verdict:
    """One check. Example: run_check(Check("exact", "4"), " 4 ") -> Verdict(True, "It is exactly “4”.")"""
    value, quoted = check.value, shown(check.value)
    if check.kind == "exact":
        found = text.strip() == value.strip()
        return Verdict(found, f"It is {'' if found else 'not '}exactly {quoted}.")
    if check.kind == "json":
        return _json(text)
    if check.kind == "regex":
        return _regex(value, text)
    found = value in text if check.kind == "contains" else value.casefold() in text.casefold()
    case = "" if check.kind == "contains" else ", in any case"
    return Verdict(found, f"It {'contains' if found else 'does not contain'} {quoted}{case}.")


def pattern_problem(pattern: str) -> str:
    """Why a regular expression cannot be used; empty if it can."""
    import regex

    if len(pattern) > LONGEST_PATTERN:
        return f"the regular expression has more than {LONGEST_PATTERN:,} characters"
    try:
        regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError, ValueError, IndexError) as problem:
        return f"the regular expression cannot be used ({str(problem)[:120]})"
    return ""


def _regex(pattern: str, text: str) -> Verdict:
    import regex

    problem = pattern_problem(pattern)
    if problem:
        return Verdict(None, f"Not checked: {problem}.")
    try:
        found = regex.search(pattern, text, timeout=REGEX_SECONDS) is not None
    except TimeoutError:
        return Verdict(None, f"Not checked: the regular expression took longer than {REGEX_SECONDS:g} s.")
    return Verdict(found, f"It {'matches' if found else 'does not match'} {shown(pattern)}.")


def _json(text: str) -> Verdict:
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as problem:
        fenced = " It stands in a code block." if text.lstrip().startswith("```") else ""
        return Verdict(False, f"It is not valid JSON: {problem.msg}, line {problem.lineno}.{fenced}")
    except (ValueError, RecursionError) as problem:
        return Verdict(False, f"It is not valid JSON: {str(problem)[:120]}.")
    return Verdict(True, "It is valid JSON.")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON value")
