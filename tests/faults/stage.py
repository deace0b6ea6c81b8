"""What a fault works with: the app's own chat service on a real Redis, a model server, and notes of what happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.history.factory import open_history
from lib.providers import Provider
from lib.providers.factory import open_provider
from lib.providers.llama.process import LocalModel
from lib.settings import Endpoint, load_settings
from lib.turns import LiveTurn
from lib.ui.chat.live_turn import STORING
from tests.faults.drawn import Drawn, drawn_pages
from tests.faults.notes import Notes
from tests.support.servers.model_server import ModelServer
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.tcp_proxy import TcpProxy
from tests.support.waiting import wait_until

SESSION = "aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff"
LABELS = {"openai": "OpenAI", "anthropic": "Anthropic"}
PATIENCE = 20.0
"""Seconds that a person waits for something before it is noted as never happening."""
T = TypeVar("T")


class Stage:
    """One fault's surroundings. Prompts are single words; the model's reply is made from the prompt."""

    def __init__(self, server: RedisServer, model: ModelServer, kind: str, notes: Notes) -> None:
        self.server = server
        self.model = model
        self.notes = notes
        self.app = open_app(server.url)
        self.settings = ChatSettings(kind, "a-model", "Be brief.", 8192, 512, "oldest_first")
        self._endpoint = Endpoint(kind, "anthropic" if kind == "anthropic" else "openai", LABELS[kind], model.url(kind))
        self._stopped = False
        self._to_close = ExitStack()
        self._to_close.callback(self.app.close)

    def close(self) -> None:
        self._to_close.close()

    def proxy(self) -> TcpProxy:
        """From now on a freshly started app is used, which reaches Redis through this proxy."""
        proxy = self._to_close.enter_context(TcpProxy(self.server.socket))
        self.restart_app(proxy.url)
        return proxy

    def restart_app(self, url: str) -> None:
        """From now on a freshly started app at this REDIS_URL is used."""
        self.app = open_app(url)
        self._to_close.callback(self.app.close)

    def attempt(self, act: Callable[[], T]) -> T | None:
        """Do something that a page does. Notes the error that the person is shown, and any other as a bug."""
        try:
            return act()
        except ChatError as error:
            self.notes.show(error)
        except Exception as error:  # noqa: BLE001 - this is what a fault must never lead to
            self.notes.broken.append(f"{type(error).__name__}: {error}")
        return None

    def look(self) -> None:
        """Read the conversation, as opening the page does."""
        self.attempt(lambda: (self.app.live(SESSION), self.app.store.load(SESSION), self.app.store.about(SESSION)))

    def draw(self, url: str | None = None, paths: tuple[str, ...] = ("app.py",)) -> None:
        """Draw pages with this REDIS_URL, as another process would, and note the warnings that are on them."""
        self._note(drawn_pages(url or self.server.url, SESSION, paths))

    def type(self, prompt: str, url: str | None = None) -> None:
        """Send a message that is expected to be refused from the box of app.py, and note whether it stays there."""
        drawn = drawn_pages(url or self.server.url, SESSION, typed=prompt)
        self._note(drawn)
        self.notes.refused.append(prompt)
        self.notes.recovery += ["The text is still in the box."] if drawn.box == prompt else []

    def _note(self, drawn: Drawn) -> None:
        for sentence in drawn.warnings:
            self.notes.show_drawn(sentence)
        self.notes.broken += drawn.broken

    def send(self, prompt: str) -> LiveTurn | None:
        """Send a message. None if it was refused, with the error noted."""
        live = self.attempt(lambda: self.app.send(SESSION, prompt, self.settings, self._open_provider))
        (self.notes.refused if live is None else self.notes.accepted).append(prompt)
        return live

    def talk(self, prompt: str) -> None:
        """Send a message and wait until the exchange is stored."""
        live = self.send(prompt)
        if live is not None:
            self.wait(live)

    def begin(self, prompt: str, words: int = 4) -> LiveTurn:
        """Send a message, and return when the reply has come this far. The model pauses there."""
        self.model.pause_after = words
        live = self.send(prompt)
        assert live is not None, self.notes
        wait_until(lambda: len(self.text().split()) >= words, "the first words")
        return live

    def text(self) -> str:
        """The part of the reply that the person has read."""
        live = self.app.live(SESSION)
        text = "" if live is None else live.text
        if live is not None and text:
            self.notes.read[live.prompt] = text
        return text

    def end_of_reply(self, live: LiveTurn) -> None:
        """Let the paused model finish, and wait until the app has read all of its reply."""
        self.model.pause_after = None
        self.model.go_on.set()
        whole = self.model.reply_to(live.prompt)
        for state in self.app.follow(SESSION, live.id):
            if state.text == whole:
                self.notes.read[live.prompt] = whole
                return

    def until_waiting(self, live: LiveTurn) -> None:
        """Wait until the page says that the finished reply cannot be stored now."""
        for state in self.app.follow(SESSION, live.id):
            if state.phase == "storing":
                self.notes.shown[STORING] = False
                return

    def stop(self) -> None:
        """Click *Stop*."""
        self._stopped = True
        self.app.stop(SESSION)

    def wait(self, live: LiveTurn) -> None:
        """Wait until nothing more happens with this turn; notes its error, if it has one."""
        deadline = time.monotonic() + PATIENCE
        for state in self.app.follow(SESSION, live.id):
            if state.text:
                self.notes.read[state.prompt] = state.text
            if state.interrupted and state.error is not None:
                self.notes.show(state.error)
            if time.monotonic() > deadline:
                self.notes.broken.append(f"the message “{live.prompt}” was not answered in {PATIENCE:.0f} s")
                return

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that this fault leads to."""
        wait_until(condition, "what this fault leads to")

    def settle(self, live: LiveTurn) -> None:
        """After the fault: wait for the turn, check that nothing is lost, and retry the message if it failed."""
        self.wait(live)
        self.check()
        left = self.app.store.live(SESSION)
        if left is None:
            turn = self.app.store.turns(SESSION, newest=1)[0]
            what = "the whole reply" if turn.reply == self.model.reply_to(live.prompt) else "the part that had arrived"
            how = "*Stop*" if self._stopped else "By itself"
            self.notes.recovery.append(f"{how}: {what} was stored.")
            return
        retried = self.retry(left)
        if retried is not None:
            self.wait(retried)
            self.notes.recovery.append("*Retry* answers the message.")

    def retry(self, interrupted: LiveTurn) -> LiveTurn | None:
        """Click *Retry*. The new reply takes the place of the part that was kept until here."""
        self.notes.read.pop(interrupted.prompt, None)
        return self.attempt(lambda: self.app.retry(SESSION, interrupted, self.settings, self._open_provider))

    def again(self, prompt: str) -> None:
        """After the fault: send a message that was refused once more."""
        with suppress(AssertionError):  # then the check below says what is left
            wait_until(lambda: self.server.live(SESSION) is None, "a chat without a live turn", PATIENCE)
        self.check()
        self.talk(prompt)
        self.notes.refused.remove(prompt)
        self.notes.recovery.append("Sending it again works.")

    def check(self) -> None:
        """Compare what is stored with what was acknowledged. Not while the server is away."""
        live = self.server.live(SESSION)
        self.notes.compare(self.server.stored(SESSION), live)

    def _open_provider(self, settings: ChatSettings) -> Provider:
        return open_provider(self._endpoint, "sk-of-the-faults", LocalModel(None))


def open_app(url: str) -> ChatService:
    """The app's chat service on this REDIS_URL."""
    return ChatService(open_history(load_settings({"REDIS_URL": url}, Path("no secrets"))))


@contextmanager
def staged(options: tuple[str, ...], kind: str, notes: Notes) -> Iterator[Stage]:
    """A stage with a server that was started with these options, and two exchanges in its conversation."""
    server = RedisServer(*options).start()
    stage: Any = None
    try:
        with notes.listening(), ModelServer() as model:
            stage = Stage(server, model, kind, notes)
            stage.talk("first")
            stage.talk("second")
            yield stage
            model.behave, model.pause_after = None, None
            stage.talk("last")
            stage.check()
    finally:
        server.resume()
        if stage is not None:
            stage.close()
        server.close()
