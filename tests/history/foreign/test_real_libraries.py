"""What the libraries themselves write is listed and opened, by a user who may only read, and stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.errors import ChatError
from lib.history.foreign.sessions import ForeignSessions
from lib.history.sessions import SessionRow
from lib.tool_calls import Pairing
from tests.history.foreign.conftest import as_reader
from tests.support.servers.foreign_libraries import module_server, write_with
from tests.support.servers.redis_servers import RedisServer, as_dicts

pytestmark = [pytest.mark.peers, pytest.mark.slow]
SENT = {
    "scan",
    "dbsize",
    "type",
    "pttl",
    "memory|usage",
    "strlen",
    "get",
    "llen",
    "lrange",
    "hmget",
    "hgetall",
    "zmscore",
    "json.get",
    "json.arrlen",
}
"""All commands that may be sent; tests/support adds those of a connection."""
CONNECTION = {"auth", "hello", "select", "client|setinfo", "info", "config|resetstat"}


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    running = module_server()
    try:
        write_with(running)
        yield running
    finally:
        running.close()


@pytest.fixture
def foreign(server: RedisServer) -> ForeignSessions:
    return as_reader(server, "+json.get", "+json.arrlen")


def row(foreign: ForeignSessions, title: str) -> SessionRow:
    (found,) = [row for row in foreign.list_foreign(50).rows if row.title == title]
    return found


def messages(foreign: ForeignSessions, title: str) -> list[Any]:
    """The messages as (role, content), and every call has its result."""
    found = foreign.messages(row(foreign, title).session_id)
    pairing, sums = Pairing(), list(range(len(found) + 1))
    for place, message in enumerate(found):
        pairing.add(place, message, sums)
    assert pairing.unpaired(len(found)) == []
    return [(message.role, message.content) for message in found]


def test_every_session_is_listed_with_its_library(foreign: ForeignSessions) -> None:
    page = foreign.list_foreign(50)
    assert {(row.format, row.title, row.messages, row.origin) for row in page.rows} == {
        ("openai-agents", "user:42", 8, "service"),  # items: two calls become one message
        ("langchain-redis", "support:7", 5, "service"),
        ("RedisVL", "support:s:7", 6, "service"),
        ("RedisVL", "semantic:s-8", 2, "service"),
        ("LangGraph", "thread:1", 6, "service"),
        ("LangGraph", "shallow-1", 6, "service"),
    }
    assert not page.notes
    assert all(row.last_activity > 1_700_000_000 for row in page.rows)
    expires = {row.title for row in page.rows if row.expires_in is not None}
    assert expires == {"user:42", "support:7"}


def test_a_session_of_openai_agents(foreign: ForeignSessions) -> None:
    calls = foreign.messages(row(foreign, "user:42").session_id)[1].extra["tool_calls"]
    assert [(call["id"], call["function"]["name"]) for call in calls] == [("c1", "weather"), ("c2", "weather")]
    assert messages(foreign, "user:42") == [
        ("user", "Is it sunny in Lisbon and in Porto?"),
        ("assistant", None),
        ("tool", "sunny"),
        ("tool", "rain"),
        ("reasoning", [{"type": "reasoning", "id": "rs_1", "summary": []}]),
        ("assistant", "Only in Lisbon."),
        (
            "user",
            [
                {"type": "text", "text": "And here?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
            ],
        ),
    ]
    created = foreign.about(row(foreign, "user:42").session_id).created_at
    assert created is not None
    assert created > 1_700_000_000


def test_a_history_of_langchain_redis(foreign: ForeignSessions) -> None:
    assert messages(foreign, "support:7") == [
        ("system", "Be brief."),
        ("user", [{"type": "text", "text": "Is it sunny?"}]),
        ("assistant", ""),
        ("tool", "sunny"),
        ("assistant", "Yes."),
    ]


def test_histories_of_redisvl(foreign: ForeignSessions) -> None:
    assert [role for role, _ in messages_of(foreign, "support:s:7")] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
        "assistant",
    ]
    tool = foreign.messages(row(foreign, "support:s:7").session_id)[3]
    assert (tool.content, tool.extra["tool_call_id"], tool.extra["metadata"]) == ("sunny", "c1", {"took": 0.2})
    assert messages_of(foreign, "semantic:s-8") == [("user", "What is a token?"), ("assistant", "A piece of text.")]
    assert all("vector_field" not in each.extra for each in foreign.messages(row(foreign, "semantic:s-8").session_id))


def messages_of(foreign: ForeignSessions, title: str) -> list[Any]:
    return [(each.role, each.content) for each in foreign.messages(row(foreign, title).session_id)]


@pytest.mark.parametrize("title", ["thread:1", "shallow-1"])
def test_a_thread_of_langgraph(foreign: ForeignSessions, title: str) -> None:
    assert messages(foreign, title) == [
        ("user", "Is it sunny?"),
        ("assistant", ""),
        ("tool", "sunny"),
        ("assistant", "It is sunny."),
        ("user", "Thank you"),
        ("assistant", "You are welcome."),
    ]
    call = foreign.messages(row(foreign, title).session_id)[1].extra["tool_calls"][0]
    assert call == {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Lisbon"}'}}


def test_reading_sends_read_only_commands_and_changes_no_value_and_no_deadline(
    server: RedisServer, foreign: ForeignSessions
) -> None:
    before = server.everything()
    with server.client() as admin:
        admin.config_resetstat()
        for found in foreign.list_foreign(50).rows:
            foreign.messages(found.session_id)
            foreign.about(found.session_id)
            foreign.expires_in(found.session_id)
            foreign.raw(found.session_id)
            assert foreign.row(found.session_id) is not None
        used = {name.removeprefix("cmdstat_") for name in admin.info("commandstats")}
    assert used <= SENT | CONNECTION
    assert server.everything() == before


def test_a_user_who_may_not_read_documents_is_told_so(server: RedisServer) -> None:
    foreign = as_reader(server, "-json.get", "-json.arrlen")
    page = foreign.list_foreign(50)
    assert len(page.rows) == 6
    assert {row.title for row in page.rows if row.session_id in page.notes} == {"thread:1", "shallow-1"}
    with pytest.raises(ChatError, match="does not let this user read it") as refused:
        foreign.messages(row(foreign, "support:7").session_id)
    assert "docs/redis.md" in refused.value.next_step
    assert as_dicts(foreign.messages(row(foreign, "user:42").session_id))[0]["role"] == "user"
