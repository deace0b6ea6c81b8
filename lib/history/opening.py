"""Choosing the history store: REDIS_URL, else memory where asked for, else the app's own server, else the snapshot.

The rule: nothing of redis-py is imported before a store is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.history import HistoryStore
    from lib.settings import Settings


def open_history(settings: Settings) -> HistoryStore:
    """The store these settings ask for. Raises HistoryUnavailable where it cannot be started."""
    if settings.store == "memory":
        from lib.history.memory import InMemoryHistory

        return InMemoryHistory(settings.session_ttl)
    if settings.store == "redis":
        from lib.history.connecting import connect
        from lib.history.redis import RedisHistory

        assert settings.redis_url is not None
        return RedisHistory(connect(settings.redis_url, cluster=settings.redis_cluster), settings.session_ttl)
    return _open_here(settings)


def _open_here(settings: Settings) -> HistoryStore:
    """Without REDIS_URL: a server of our own, or its stand-in where no binary exists."""
    from lib.history.embedded import EmbeddedServer, can_embed

    if not can_embed():
        return _open_snapshot(settings)
    server = EmbeddedServer(settings.data_dir)
    server.start()
    from lib.history.connecting import connect
    from lib.history.redis import RedisHistory

    return RedisHistory(connect(server.url), settings.session_ttl, revive=server.revive, close=server.close)


def _open_snapshot(settings: Settings) -> HistoryStore:
    from lib.history.redis import RedisHistory
    from lib.history.snapshot import NOTE, SnapshotServer

    server = SnapshotServer(settings.data_dir)
    return RedisHistory(server.client, settings.session_ttl, note=NOTE, written=server.written, close=server.close)
