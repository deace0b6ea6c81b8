"""Chosen conversations are stored one by one, each in one write. A failure in the middle says what was stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import HistoryUnavailable
from lib.history import ConversationStore, HistoryStore, Recording
from lib.history.client import connect
from lib.history.memory import InMemoryHistory
from lib.history.redis import RedisHistory
from lib.transfer.importing import Outcome, store_rows
from lib.transfer.opened import Opened, open_file
from tests.support.servers.redis_servers import TTL, RedisServer, as_dicts, say

SAMPLES = Path("tests/data/transfer")


def opened(name: str = "chatgpt_conversations.json") -> Opened:
    return open_file(name, (SAMPLES / name).read_bytes())


def test_chosen_chats_become_sessions_with_title_date_and_source() -> None:
    store, file = InMemoryHistory(TTL), opened()
    progress: list[float] = []
    outcome = store_rows(store, file, file.rows[1:3], progress=progress.append)
    assert [(each.title, each.already) for each in outcome.imported] == [("A day in Lisbon", False), ("Haiku", False)]
    assert progress == [0.0, 0.5]
    branch, haiku = (each.session_id for each in outcome.imported)
    assert [message.text for message in store.load(haiku)] == ["Write a haiku about tests.", "Green lights in a row"]
    about = store.about(branch)
    assert (about.title, about.created_at) == ("A day in Lisbon", 1_700_000_000.25)
    assert [(each.first, each.count, each.source) for each in about.imports] == [
        (0, 4, "ChatGPT export, chatgpt_conversations.json, branch 2 of 2")
    ]
    say(store, branch, "I go on")
    assert [turn.prompt for turn in store.turns(branch)] == ["I go on"]


def test_what_is_stored_is_what_was_listed_in_redis_too() -> None:
    server = RedisServer().start()
    store = RedisHistory(connect(server.url), TTL)
    for name in ("openai.json", "anthropic.json", "open_webui.json", "librechat.json"):
        file = opened(name)
        outcome = store_rows(store, file, file.rows)
        for row, each in zip(file.rows, outcome.imported, strict=True):
            assert server.stored(each.session_id) == as_dicts(file.read(row).messages)
    store.close()
    server.close()


def test_the_same_file_makes_no_doubles_unless_copies_are_asked_for() -> None:
    store, file = InMemoryHistory(TTL), opened()
    first = store_rows(store, file, file.rows)
    again = store_rows(store, opened(), file.rows)
    assert [each.session_id for each in again.imported] == [each.session_id for each in first.imported]
    assert all(each.already for each in again.imported)
    copies = store_rows(store, file, file.rows, copies=True)
    assert len(store.sessions(99)) == len(first.imported) + len(copies.imported) == 6
    assert [title for title, _ in first.refused] == ["Empty"]


class Failing(InMemoryHistory):
    """A store that goes away after so many sessions."""

    left = 2

    def restore(self, session_id: str, recording: Recording) -> None:
        if not self.left:
            raise HistoryUnavailable("Redis does not answer.")
        self.left -= 1
        super().restore(session_id, recording)


def test_a_failure_in_the_middle_says_what_is_stored_and_what_is_not() -> None:
    store, file = Failing(TTL), opened("fine_tuning.jsonl")
    outcome = store_rows(store, file, file.rows)
    assert [each.title for each in outcome.imported] == ["Name a city in Portugal.", "Name a city in Spain."]
    assert outcome.failed == "Name a city in France."
    assert isinstance(outcome.error, HistoryUnavailable)
    assert outcome.not_tried == []
    assert len(store.sessions(9)) == 2
    store.left = 1
    again = store_rows(store, file, file.rows)
    assert [each.already for each in again.imported] == [True, True, False]


def test_it_can_be_stopped_between_two_chats() -> None:
    store, file = InMemoryHistory(TTL), opened("fine_tuning.jsonl")
    outcome = Outcome()

    def stop(done: float) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_rows(store, file, file.rows, progress=stop, outcome=outcome)
    assert len(outcome.imported) == len(store.sessions(9)) == 1
    assert outcome.not_tried == ["Name a city in Spain.", "Name a city in France."]


def test_a_store_that_is_gone_from_the_start_stores_nothing() -> None:
    server = RedisServer().start()
    url = server.url
    server.close()
    store: ConversationStore = RedisHistory(connect(url), TTL)
    file = opened("fine_tuning.jsonl")
    outcome = store_rows(store, file, file.rows)
    assert outcome.imported == []
    assert isinstance(outcome.error, HistoryUnavailable)
    assert len(outcome.not_tried) == 2


def test_looking_at_a_file_writes_nothing() -> None:
    store: HistoryStore = InMemoryHistory(TTL)
    file = opened()
    for row in file.rows:
        file.read(row)
    assert store.sessions(9) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\nb", "x" * 500, "", "\ud83d.json"])
def test_any_file_name_is_a_source(name: str) -> None:
    file = open_file(name, (SAMPLES / "openai.json").read_bytes())
    assert 0 < len(file.name) <= 80
    assert file.name.isprintable()
