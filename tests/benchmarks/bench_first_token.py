"""Time to the first token through a turn of the app (store, plan, thread, adapter) and through the SDK alone."""

from __future__ import annotations

import statistics
import time

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.history.memory import InMemoryHistory
from lib.providers.llama.process import LocalModel, LocalProvider

ROUNDS = 15


def main() -> None:
    """Print the ratio. Each prompt is new, so that no cache of the model helps one of the two."""
    from openai import OpenAI

    model = LocalModel()
    address = model.ensure()
    client = OpenAI(base_url=f"{address.url}/v1", api_key=address.key)
    chat = ChatService(InMemoryHistory(3600))
    settings = ChatSettings("local", model.name, "You are a helpful assistant.", 2048, 16, "oldest_first")
    alone, ours = [], []
    for n in range(ROUNDS):
        started = time.perf_counter()
        stream = client.chat.completions.create(
            model=model.name,
            stream=True,
            max_tokens=16,
            temperature=0,
            messages=[
                {"role": "system", "content": settings.system_prompt},
                {"role": "user", "content": f"{n}a: name a fruit"},
            ],
        )
        next(chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)
        alone.append(time.perf_counter() - started)
        for _ in stream:
            pass
        started = time.perf_counter()
        live = chat.send(f"bench-{n}", f"{n}b: name a fruit", settings, lambda _: LocalProvider(model))
        states = chat.follow(f"bench-{n}", live.id)
        next(state for state in states if state.text)
        ours.append(time.perf_counter() - started)
        for _ in states:
            pass
    model.close()
    sdk, app = statistics.median(alone) * 1000, statistics.median(ours) * 1000
    print("\nTime to first token (median ms)                 SDK alone    through the app    ratio")
    print(f"  {'the model on this machine':<44} {sdk:>10.0f} {app:>15.0f} {app / sdk:>8.2f}")


if __name__ == "__main__":
    main()
