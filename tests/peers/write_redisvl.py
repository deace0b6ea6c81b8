"""Writes two sessions with RedisVL's own histories. Argument: the path of a server's socket."""

import sys
from typing import Any

from redisvl.extensions.message_history import MessageHistory, SemanticMessageHistory
from redisvl.utils.vectorize import CustomVectorizer


def embed(text: str, **options: Any) -> list[float]:
    return [float(len(text)), 1.0, 0.5]


def embed_many(texts: list[str], **options: Any) -> list[list[float]]:
    return [embed(text) for text in texts]


url = f"unix://{sys.argv[1]}"
plain = MessageHistory("support", session_tag="s:7", redis_url=url)
plain.add_messages(
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is it sunny?"},
        {"role": "assistant", "content": "I will ask."},
        {"role": "tool", "content": "sunny", "tool_call_id": "c1", "metadata": {"took": 0.2}},
    ]
)
plain.store("Thank you", "You are welcome")
semantic = SemanticMessageHistory(
    "semantic", session_tag="s-8", redis_url=url, vectorizer=CustomVectorizer(embed, embed_many)
)
semantic.store("What is a token?", "A piece of text.")
