"""Reads promptfoo's configurations: every prompt with the variables of every test (promptfoo.dev/docs/configuration).

What does not map is named: files, assertions of kinds that we do not have, and settings of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from lib.prompt_sets import MOST_PROMPTS, Check
from lib.prompt_sets.reading.conversation import from_messages
from lib.prompt_sets.reading.drafts import CHECK_NAMES, VARIABLE, Draft, check_of
from lib.prompt_sets.reading.problems import Problems, refused
from lib.prompt_sets.reading.text import from_json, plain

TEMPLATE = re.compile(r"\{\{|\{%|\{#")
USED = ("prompts", "tests", "description", "defaultTest", "$schema")
USED_OF_TEST = ("vars", "assert", "description")
PROVIDERS = "“providers” and “targets” are not used: the models are chosen here"


def drafts(config: Any, problems: Problems) -> tuple[list[Draft], tuple[str, ...]]:
    """Every prompt with every test, and what is not used, in words. Raises ImportRefused."""
    if not isinstance(config, Mapping) or "prompts" not in config:
        raise refused("There is no “prompts” in this configuration.", "Paste the prompts into it.")
    unused: Counter[str] = Counter()
    prompts = _prompts(config["prompts"], problems)
    tests = _tests(config.get("tests"), problems)
    if len(prompts) * max(1, len(tests)) > MOST_PROMPTS:
        raise refused(f"{len(prompts):,} prompts and {len(tests):,} tests make more than {MOST_PROMPTS:,} requests.")
    default = config.get("defaultTest")
    found = []
    for number, (where, test) in enumerate(tests or [("", {})], 1):
        try:
            variables, checks = _merged(default if isinstance(default, Mapping) else {}, test, unused)
        except ValueError as problem:
            problems.add(where, str(problem))
            continue
        for place, (source, system, text) in enumerate(prompts, 1):
            id_ = f"{number}" if len(prompts) == 1 else f"{number}.{place}"
            there = f"{where}, {source}" if where else source
            found.append(Draft(there, text, id_, system, variables=variables, checks=checks))
    notes = [_not_made(kind, count) for kind, count in unused.items()]
    further = [str(name) for name in config if name not in USED and name not in ("providers", "targets")]
    notes += [PROVIDERS] if {"providers", "targets"} & set(config) else []
    notes += [f"“{name[:60]}” is not used" for name in further]
    return found, tuple(notes)


def _not_made(kind: str, count: int) -> str:
    return f"1 check “{kind[:60]}” is not made" if count == 1 else f"{count:,} checks “{kind[:60]}” are not made"


def _prompts(given: Any, problems: Problems) -> list[tuple[str, str, str]]:
    """Each prompt's place, system prompt and text."""
    found = []
    for place, each in enumerate(given if isinstance(given, list) else [given]):
        where = f"prompts[{place}]"
        text = each.get("raw") or each.get("content") or each.get("id") if isinstance(each, Mapping) else each
        try:
            written = plain(text)
            if written.startswith("file://"):
                raise ValueError("it is in another file; paste its text here")
            if TEMPLATE.search(VARIABLE.sub("", written)):
                raise ValueError("it has a template that is more than a variable, such as a filter or a condition")
            found.append((where, *_messages(written)))
        except ValueError as problem:
            problems.add(where, str(problem))
    return found


def _messages(text: str) -> tuple[str, str]:
    """A prompt that is a JSON list of messages is read as one; else it is the text itself."""
    if text.lstrip().startswith("[") and '"role"' in text:
        try:
            value = from_json(text)
        except ValueError:
            return "", text
        return from_messages(value) if isinstance(value, list) else ("", text)
    return "", text


def _tests(given: Any, problems: Problems) -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(given, str) and given:
        raise refused("The tests are in another file.", "Paste them into this one.")
    found = []
    for place, each in enumerate(given if isinstance(given, list) else []):
        if isinstance(each, Mapping):
            found.append((f"tests[{place}]", each))
        else:
            problems.add(f"tests[{place}]", "it is no test with “vars”; files of tests are not read")
    return found


def _merged(
    default: Mapping[str, Any], test: Mapping[str, Any], unused: Counter[str]
) -> tuple[dict[str, str], tuple[Check, ...]]:
    """The variables and the checks of a test, with those of the default test."""
    variables: dict[str, str] = {}
    checks: list[Check] = []
    for each in (default, test):
        values = each.get("vars")
        if isinstance(values, str) and values:
            raise ValueError("its “vars” are in another file")
        for name, value in (values if isinstance(values, Mapping) else {}).items():
            if isinstance(value, list):
                raise ValueError(f"“{str(name)[:40]}” is a list, which stands for several tests; write them out")
            text = plain(value)
            if text.startswith("file://"):
                raise ValueError(f"“{str(name)[:40]}” is in another file; paste its text here")
            variables[str(name)] = text
        given = each.get("assert")
        checks += [check for one in (given if isinstance(given, list) else []) if (check := _check(one, unused))]
    return variables, tuple(checks)


def _check(given: Any, unused: Counter[str]) -> Check | None:
    """The check of an assertion; None for a kind that we do not have, which is counted."""
    if not isinstance(given, Mapping):
        raise ValueError("an assertion of it is no object with a “type”")
    kind = plain(given.get("type")) or "without a type"
    if kind not in CHECK_NAMES:
        unused[kind] += 1
        return None
    if kind == "is-json" and given.get("value"):
        unused["the schema of is-json"] += 1
        return Check("json")
    return check_of(kind, plain(given.get("value")))
