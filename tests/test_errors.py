"""Every error says what happened, what is safe and what to do, and survives being stored in a live turn."""

from __future__ import annotations

import json
import re

import pytest

import lib.errors
from lib.errors import ChatError, ContextOverflow, RateLimited, RuleBroken, describe


def tree(kind: type[ChatError]) -> list[type[ChatError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]


@pytest.mark.parametrize("kind", tree(ChatError))
def test_an_error_says_all_three_things(kind: type[ChatError]) -> None:
    error = kind("It happened.")
    assert (error.what, bool(error.safe), bool(error.next_step)) == ("It happened.", True, True)
    assert describe(error.to_dict()) == (error.what, error.safe, error.next_step)
    assert error.to_dict()["kind"] == kind.__name__
    restored = ChatError.from_dict(json.loads(json.dumps(error.to_dict())))
    assert (type(restored), restored) == (kind, error)


def test_the_docstring_draws_the_whole_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", lib.errors.__doc__ or "")
    assert sorted(drawn) == sorted(kind.__name__ for kind in tree(ChatError) if kind is not ChatError)


def test_a_rate_limit_says_how_long_to_wait() -> None:
    assert RateLimited("Too fast.", wait_seconds=12).next_step == "Wait 12 s, then retry."


@pytest.mark.parametrize(
    "error",
    [
        ContextOverflow("Too large.", tokens=900, limit=800),
        RateLimited("Too fast.", wait_seconds=3.5),
        RuleBroken("Refused.", provider="anthropic"),
    ],
)
def test_a_stored_error_keeps_its_details(error: ChatError) -> None:
    restored = ChatError.from_dict(error.to_dict())
    assert [getattr(restored, name) for name in error.details] == [getattr(error, name) for name in error.details]
    assert None not in [getattr(restored, name) for name in error.details]


def test_an_error_of_another_version_is_still_shown() -> None:
    restored = ChatError.from_dict({"kind": "NotOfThisVersion", "what": "It broke."})
    assert (type(restored), restored.what) == (ChatError, "It broke.")
