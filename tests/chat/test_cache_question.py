"""Off asks nothing; on names the reply before only if its request asked the same provider."""

from __future__ import annotations

from dataclasses import replace

from lib.chat.cache_question import cache_question
from lib.chat_settings import ChatSettings
from lib.providers import CacheQuestion
from lib.turns import Turn

OFF = ChatSettings("claude", "m", "", 99, 9, "none")
ON = replace(OFF, cache_diagnostics=True)
ASKED = Turn("1", "", "", "complete", "claude", "m", "", 0.0, request={"diagnostics": {}}, reply_id="msg_1", number=1)


def test_off_asks_nothing() -> None:
    assert cache_question(OFF, [ASKED]) is None


def test_the_reply_before_is_named() -> None:
    assert cache_question(ON, [ASKED]) == CacheQuestion("msg_1")


def test_a_reply_that_the_provider_cannot_know_is_not_named() -> None:
    for turns in (
        [],
        [replace(ASKED, request={})],
        [replace(ASKED, provider="other")],
        [replace(ASKED, reply_id=None)],
    ):
        assert cache_question(ON, turns) == CacheQuestion(None)
