"""Every error says what happened, what is safe and what to do, and survives being stored in a live turn."""

from __future__ import annotations

import re

import pytest

import lib.errors
from lib.errors import ChatError, RateLimited, describe


def tree(kind: type[ChatError]) -> list[type[ChatError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]


@pytest.mark.parametrize("kind", tree(ChatError))
def test_an_error_says_all_three_things(kind: type[ChatError]) -> None:
    error = kind("It happened.")
    assert (error.what, bool(error.safe), bool(error.next_step)) == ("It happened.", True, True)
    assert describe(error.to_dict()) == (error.what, error.safe, error.next_step)
    assert error.to_dict()["kind"] == kind.__name__


def test_the_docstring_draws_the_whole_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", lib.errors.__doc__ or "")
    assert sorted(drawn) == sorted(kind.__name__ for kind in tree(ChatError) if kind is not ChatError)


def test_a_rate_limit_says_how_long_to_wait() -> None:
    assert RateLimited("Too fast.", wait_seconds=12).next_step == "Wait 12 s, then retry."
