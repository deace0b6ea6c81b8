"""Makes the example conversation: `uv run python -m lib.example.make` plays lisbon.txt and writes lisbon.json.

Every prompt is sent as a person's would be, with the real planner and the embedded model's own tokenizer. Only the
replies are not a model's. The records have no times, since writing by hand has no speed, and no usage, since no server
reported any; so making it again gives the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.example import SOURCE
from lib.example.provider import MODEL, ExampleProvider
from lib.example.recording import FILE, to_json
from lib.history import Recording
from lib.history.memory import InMemoryHistory
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.settings import EXAMPLE, SESSION_TTL
from lib.tokens import TokenCounter

TITLE = "A week in Lisbon (example)"
SCRIPT = Path(__file__).with_name("lisbon.txt")
SETTINGS = ChatSettings(EXAMPLE, MODEL, "You are a helpful assistant.", 2048, 256, "oldest_first")


def exchanges(text: str) -> list[tuple[str, str]]:
    """The prompts and replies of a script, in which a line that starts with "> " is a prompt.

    Example: exchanges("> Hi\\n\\nHello.\\n") -> [("Hi", "Hello.")]
    """
    blocks = [block.partition("\n") for block in f"\n{text}".split("\n> ")[1:]]
    return [(prompt.strip(), reply.strip()) for prompt, _, reply in blocks]


def make(script: Sequence[tuple[str, str]], counter: TokenCounter) -> Recording:
    """Play a script turn by turn, and return what was stored. Raises the error of a turn that failed."""
    store = InMemoryHistory(SESSION_TTL)
    chat = ChatService(store, lambda settings, provider: counter)
    provider = ExampleProvider(*(reply for _, reply in script))
    for prompt, _ in script:
        live = chat.send(EXAMPLE, prompt, SETTINGS, lambda settings: provider)
        for _ in chat.follow(EXAMPLE, live.id):
            pass
        failed = store.live(EXAMPLE)
        if failed is not None and failed.error is not None:
            raise failed.error
    turns = [
        replace(
            turn, id=f"{EXAMPLE}-{turn.number}", started_at=0.0, first_token_ms=None, duration_ms=None, request_id=None
        )
        for turn in store.turns(EXAMPLE)
    ]
    return Recording(TITLE, store.load(EXAMPLE), turns, SETTINGS.to_dict(), SOURCE)


def main() -> None:
    """Write the file."""
    model = LocalModel()
    try:
        counter = LocalProvider(model).counter()
        assert counter is not None
        example = make(exchanges(SCRIPT.read_text(encoding="utf-8")), counter)
    finally:
        model.close()
    FILE.write_text(to_json(example), encoding="utf-8")


if __name__ == "__main__":
    main()
