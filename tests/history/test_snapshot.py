"""The snapshot, which replaces a server: what survives a restart, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import HistoryUnavailable
from lib.history.embedded import server
from lib.history.embedded.snapshot import SnapshotServer
from lib.history.factory import open_history
from lib.settings import Settings, load_settings
from tests.support.servers.redis_servers import SETTINGS, live_turn, prompt, say
from tests.support.waiting import wait_until


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(server, "find_server", lambda: None)
    return load_settings({"WINDOWSEAT_DATA_DIR": str(tmp_path / "data")}, Path("none"))


def test_without_a_server_the_history_survives_in_a_file_and_a_note_says_so(settings: Settings) -> None:
    store = open_history(settings)
    assert store.note is not None
    assert "One process only, not a server" in store.note
    say(store, "s", "é\ud800 \x00", replaces=0)
    store.save_settings("s", SETTINGS.to_dict())
    live = prompt("waits")
    store.begin("t", live)
    kept = store.load("s"), store.turns("s"), store.about("s"), live_turn(store, "t").to_dict()
    sessions = [entry.session_id for entry in store.sessions(5)]
    left = store.expires_in("s")
    store.close()
    store = open_history(settings)
    assert (store.load("s"), store.turns("s"), store.about("s"), live_turn(store, "t").to_dict()) == kept
    assert [entry.session_id for entry in store.sessions(5)] == sessions
    left_after_restart = store.expires_in("s")
    assert left is not None
    assert left_after_restart is not None
    assert left - 60 < left_after_restart <= left
    assert store.heartbeat("t", live) == "ok"
    say(store, "s")
    assert store.turns("s")[-1].number == 2
    store.close()


def test_a_write_is_saved_without_closing_the_store(settings: Settings) -> None:
    store = open_history(settings)
    say(store, "s", "soon")
    file = settings.data_dir / "history.json"
    wait_until(lambda: file.exists() and "soon" in file.read_text(), "the snapshot file")
    store.close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    first = SnapshotServer(tmp_path)
    with pytest.raises(HistoryUnavailable, match="Another process"):
        SnapshotServer(tmp_path)
    first.close()
    SnapshotServer(tmp_path).close()


@pytest.mark.parametrize("text", ["rubbish", "[]", '{"k": ["list", [], null]}', '{"k": 1}'])
def test_an_unreadable_file_is_refused_and_left_unchanged(tmp_path: Path, text: str) -> None:
    file = tmp_path / "history.json"
    file.write_text(text)
    for _ in range(2):
        with pytest.raises(HistoryUnavailable, match="cannot be read"):
            SnapshotServer(tmp_path)
    assert file.read_text() == text
