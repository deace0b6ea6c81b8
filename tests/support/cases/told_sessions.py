"""Sessions that were really told: each question through a real turn, answered by a scripted provider."""

from __future__ import annotations

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.history.memory import InMemoryHistory
from lib.providers.scripted import Script, ScriptedProvider

PARENT = "parent"
SETTINGS = ChatSettings("scripted", "m", "Be brief.", 4096, 64, "oldest_first")


def told(*questions: str) -> tuple[ChatService, ScriptedProvider]:
    """A service whose session PARENT has these questions, each answered with "re <question>"."""
    chat, provider = ChatService(InMemoryHistory(3600)), ScriptedProvider()
    chat.store.save_settings(PARENT, SETTINGS.to_dict())
    for question in questions:
        ask(chat, provider, PARENT, question)
    return chat, provider


def ask(chat: ChatService, provider: ScriptedProvider, session_id: str, question: str) -> None:
    """Send one question and wait for its reply."""
    provider.enqueue(Script(["re ", question]))
    live = chat.send(session_id, question, SETTINGS, lambda _: provider)
    for _ in chat.follow(session_id, live.id):
        pass
    assert chat.store.live(session_id) is None
