"""Every error has a status, a name and three sentences that make sense to a program's author."""

from __future__ import annotations

import json

import pytest

from lib.api.errors import Refused, body_of, error_response, refusal_of, to_json
from lib.errors import ChatError, HistoryUnavailable, MissingKey, RateLimited, TurnInProgress, WrongKey
from tests.test_errors import tree

STATUSES = {
    "ChatError": 500,
    "InvalidSettings": 503,
    "NotYours": 403,
    "HistoryUnavailable": 503,
    "CorruptHistory": 409,
    "TurnInProgress": 409,
    "Stopped": 409,
    "TurnLost": 409,
    "RuleBroken": 422,
    "ImportRefused": 422,
    "InvalidLesson": 422,
    "ForeignSession": 403,
    "ContextOverflow": 422,
    "SpendingCapReached": 402,
    "ProviderError": 502,
    "MissingKey": 422,
    "WrongKey": 502,
    "RateLimited": 429,
    "ProviderUnavailable": 502,
    "InvalidRequest": 422,
    "ContentRefused": 422,
    "Retired": 502,
    "ConversationGone": 502,
}


def test_every_error_has_its_status_and_shape() -> None:
    assert {kind.__name__: error_response(kind("It happened.")).status_code for kind in tree(ChatError)} == STATUSES
    for kind in tree(ChatError):
        body = json.loads(bytes(error_response(kind("It happened.")).body))
        assert list(body) == ["error"]
        assert list(body["error"]) == ["code", "message", "safe", "next_step"]
        assert body["error"]["code"].replace("_", "") == kind.__name__.lower()
        assert "box" not in f"{body}"
        assert "browser session" not in f"{body}"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimited("Too fast.", wait_seconds=0.2), "1"),
        (RateLimited("Too fast."), None),
        (TurnInProgress("It is being answered."), "1"),
        (HistoryUnavailable("It does not answer."), "1"),
        (WrongKey("It refused the key."), None),
    ],
)
def test_where_waiting_helps_it_says_how_long(error: ChatError, seconds: str | None) -> None:
    assert error_response(error).headers.get("retry-after") == seconds


def test_words_of_their_own_are_kept() -> None:
    own = MissingKey("No key.", safe="All is well.", next_step="Use the other one.")
    assert (refusal_of(own).safe, refusal_of(own).next_step) == ("All is well.", "Use the other one.")


def test_a_refusal_keeps_its_headers() -> None:
    response = error_response(Refused(405, "method_not_allowed", "No.", headers={"allow": "GET"}))
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    assert body_of(Refused(404, "x", "No."))["error"]["code"] == "x"


def test_json_holds_every_text() -> None:
    texts = ["é\u2028", "\ud83d", '"\\\n\0']
    for ascii_only in (False, True):
        raw = to_json(texts, ascii_only=ascii_only)
        assert json.loads(raw) == texts
        assert b"\n" not in raw
    assert to_json(texts, ascii_only=True).isascii()
