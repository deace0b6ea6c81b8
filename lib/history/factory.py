"""Chooses the history store: REDIS_URL, memory if asked for, the app's own server, or the snapshot.

Nothing is imported before a store is opened, and our own server is started before redis-py is imported, to save time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.history import HistoryStore
    from lib.history.redis import RedisHistory
    from lib.settings import Settings


def open_history(settings: Settings) -> HistoryStore:
    """The store that these settings choose. Opening does not connect to REDIS_URL; the first operation does.

    Raises HistoryUnavailable if our own server does not start, InvalidSettings for a REDIS_URL that cannot be parsed.
    """
    if settings.store == "memory":
        from lib.history.memory import InMemoryHistory

        return InMemoryHistory(settings.session_ttl)
    if settings.store == "redis":
        return _with_foreign(_open_remote(settings), settings)
    from lib.history.embedded.server import can_embed

    return _with_foreign(_open_embedded(settings) if can_embed() else _open_snapshot(settings), settings)


def _with_foreign(store: RedisHistory, settings: Settings) -> HistoryStore:
    """The store, with the conversations that other libraries keep on the same server."""
    from lib.history.foreign.sessions import ForeignSessions
    from lib.history.foreign.store import ForeignStore

    return ForeignStore(store, ForeignSessions(store.client, settings.read_prefixes))


def _open_remote(settings: Settings) -> RedisHistory:
    from lib.history.client import connect
    from lib.history.redis import RedisHistory

    assert settings.redis_url is not None
    if settings.redis_cluster:  # a cluster client connects when it is created, so we create it later, and retry
        return RedisHistory(partial(connect, settings.redis_url, cluster=True), settings.session_ttl)
    return RedisHistory(connect(settings.redis_url), settings.session_ttl)


def _open_embedded(settings: Settings) -> RedisHistory:
    from lib.history.embedded.server import EmbeddedServer

    server = EmbeddedServer(settings.data_dir)
    server.start()
    from lib.history.client import connect  # takes a tenth of a second; meanwhile the server starts
    from lib.history.redis import RedisHistory

    server.wait()
    return RedisHistory(connect(server.url), settings.session_ttl, revive=server.revive, close=server.close)


def _open_snapshot(settings: Settings) -> RedisHistory:
    from lib.history.embedded.snapshot import NOTE, SnapshotServer
    from lib.history.redis import RedisHistory

    server = SnapshotServer(settings.data_dir)
    return RedisHistory(server.client, settings.session_ttl, note=NOTE, written=server.written, close=server.close)
