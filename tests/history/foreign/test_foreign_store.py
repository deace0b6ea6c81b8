"""The store that opens other libraries' conversations and refuses every write to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lib.errors import ChatError, ForeignSession
from lib.history import About, Recording
from lib.history.factory import open_history
from lib.history.foreign import READ_ONLY, foreign_id
from lib.history.foreign.sessions import ForeignSessions
from lib.history.foreign.store import ForeignStore, foreign_sessions
from lib.history.memory import InMemoryHistory
from lib.messages import user
from lib.settings import load_settings
from tests.history.test_looking import nothing_changes, read_everything
from tests.support.cases import foreign_keys as keys
from tests.support.servers.redis_servers import TTL, RedisServer, prompt, record, say

FOREIGN = foreign_id("openai-agents", keys.AGENTS)
WRITES: dict[str, Callable[[Any, str], object]] = {
    "save_settings": lambda store, sid: store.save_settings(sid, {"model": "m"}),
    "mark": lambda store, sid: store.mark(sid, 0, "pinned"),
    "keep_summaries": lambda store, sid: store.keep_summaries(sid, ()),
    "keep_handles": lambda store, sid: store.keep_handles(sid, {}),
    "import_messages": lambda store, sid: store.import_messages(sid, [user("a")], "a file"),
    "restore": lambda store, sid: store.restore(sid, Recording("t", [user("a")], [], {}, "a file")),
    "clear": lambda store, sid: store.clear(sid),
    "begin": lambda store, sid: store.begin(sid, prompt()),
    "heartbeat": lambda store, sid: store.heartbeat(sid, prompt()),
    "request_stop": lambda store, sid: store.request_stop(sid, "live"),
    "commit": lambda store, sid: store.commit(sid, "live", [user("a")], record(prompt())),
    "discard": lambda store, sid: store.discard(sid, "live"),
}


class Directory(InMemoryHistory):
    """A store that is a directory of sessions, too. It notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(TTL)
        self.asked: list[str] = []

    def rename(self, session_id: str, title: str) -> None:
        self.asked.append(f"rename {session_id}")

    def row(self, session_id: str) -> None:
        self.asked.append(f"row {session_id}")

    def gone(self, session_id: str, owner: str | None = None) -> None:
        self.asked.append(f"gone {session_id}")


@pytest.fixture
def store(redis_server: RedisServer, written: Any) -> Any:
    settings = load_settings({"REDIS_URL": redis_server.url, "WINDOWSEAT_READ_PREFIXES": "conv"})
    found = open_history(settings)
    yield found
    found.close()


@pytest.mark.parametrize("name", WRITES)
def test_every_write_is_refused_and_says_what_to_do(written: Any, store: Any, name: str) -> None:
    with nothing_changes(written), pytest.raises(ForeignSession) as refused:
        WRITES[name](store, FOREIGN)
    assert (refused.value.what, refused.value.next_step) == (READ_ONLY, "Fork it to go on.")


def test_reading_one_by_its_id_changes_nothing(written: Any, store: Any) -> None:
    with nothing_changes(written):
        read_everything(store, FOREIGN, foreign_id("json", keys.LONG_ARRAY), foreign_id("redisvl", keys.REDISVL))
        assert store.about(FOREIGN) == About("user-42", 1_000.0)
        assert [message.role for message in store.load(FOREIGN)] == ["user", "assistant", "tool", "assistant"]
        assert (store.turns(FOREIGN), store.turn(FOREIGN, 1), store.live(FOREIGN)) == ([], None, None)
        assert b'"Is it sunny?"' in (store.raw(FOREIGN) or b"")
        assert store.row(FOREIGN).format == "openai-agents"


def test_the_apps_own_sessions_are_as_before(store: Any) -> None:
    say(store, "mine")
    assert [message.text for message in store.load("mine")] == ["Hello", "Hi!"]
    assert [entry.session_id for entry in store.sessions(5)] == ["mine"]
    store.clear("mine")
    assert list(store.load("mine")) == []


def test_a_fork_begins_with_the_same_messages(written: Any, store: Any) -> None:
    found = store.load(FOREIGN)
    store.restore("fork", Recording("Fork", found, [], {}, "openai-agents: user-42"))
    assert store.load("fork") == found
    say(store, "fork", "And tomorrow?")
    assert len(store.load("fork")) == len(found) + 2
    assert written.llen(keys.AGENTS) == len(keys.AGENTS_ITEMS)


def test_what_only_a_directory_has_is_passed_on_for_own_sessions_alone(written: Any, store: Any) -> None:
    inner = Directory()
    both = ForeignStore(inner, store.foreign)
    both.rename("mine", "New")
    both.row("mine")
    both.gone("mine")
    with pytest.raises(ForeignSession):
        both.rename(FOREIGN, "New")
    assert both.row(FOREIGN).title == "user-42"  # type: ignore[union-attr]  # it exists
    assert inner.asked == ["rename mine", "row mine", "gone mine"]
    with pytest.raises(AttributeError):
        _ = both.no_such_method


def test_a_conversation_that_is_gone_is_not_an_empty_chat(written: Any, store: Any) -> None:
    written.delete(keys.AGENTS)
    with pytest.raises(ChatError, match="has deleted it, or it has expired"):
        store.load(FOREIGN)


def test_only_a_redis_has_conversations_of_others(store: Any) -> None:
    assert isinstance(foreign_sessions(store), ForeignSessions)
    assert foreign_sessions(open_history(load_settings({"WINDOWSEAT_STORE": "memory"}))) is None
