"""The chat template of a llama.cpp server, taken apart: what it puts around one message.

The rule: nothing about a model is written down here. Shapes and sizes are learnt from the server with made-up
conversations, and are used only if their sum is what the server counts for whole conversations.
It leaves out caching, and what has not to do with sizes. A template that has no block per message (one that wants user and
assistant to alternate, or writes the system prompt into the user's message) is not taken apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lib.messages import SYSTEM_ROLES, Message, user
from lib.providers.llama.server import SEPARATOR, LlamaServer, Wired

FIRST, LAST = "a first 7c1e", "a last 9d4b"
TEXTS = (
    " \n a middle 5f2a \n ",
    "<think>\nhm 5f2a\n</think>\n\nyes",
    "[INST] <|im_start|>5f2a<|im_end|> {{ x }} 😀日本",
)
"""What templates are known to trim, cut out or read as their own; a role whose texts stay as they are has a shape."""
Cut = Callable[[Wired], str | None]
"""Has a message rendered among others, and cuts its block out; None where the server refuses, or no block was added."""
ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands before and after the text of every message of a role."""

    before: str
    after: str
    trimmed: bool
    """Whether the template cuts blanks off both ends of the text."""

    def block(self, text: str) -> str | None:
        """The message's part of the prompt; None for a text with ends of which only the template knows if they are blank."""
        if not self.trimmed:
            return f"{self.before}{text}{self.after}"
        kept = text.strip()
        return f"{self.before}{kept}{self.after}" if kept == text.strip(" \n\t\r") else None


@dataclass(frozen=True, slots=True)
class Template:
    """What was learnt. Sizes in tokens."""

    shapes: Mapping[str, Shape]
    """By role; a role that is missing is rendered by the server, message by message."""
    frame_tokens: int
    """Size of the conversation that such a message is rendered in."""
    lead: tuple[int, int]
    """What a request holds beyond its messages: without a system message, and with one."""
    batches: bool
    """Whether many texts can be tokenized in one request."""


def learn(server: LlamaServer) -> Template | None:
    """Take the server's template apart; None where that cannot be done. Raises ProviderError where it cannot be asked."""
    first = [user(FIRST).to_dict()]
    frame = server.taken([*first, user(LAST).to_dict()]) if server.speaks() else None
    if frame is None:
        return None
    head = server.render(first, opening=False)
    shapes = _shapes(server, ROLES, _middle(server, frame, head))
    if "user" not in shapes or not _stands_apart(server, server.render(first)[len(head) :]):
        return None
    if tail := shapes["user"].block(FIRST):  # some take a system message as the first one only
        shapes |= _shapes(server, [role for role in SYSTEM_ROLES if role not in shapes], _beginning(server, head, tail))
    one, two = server.tokens(FIRST), server.tokens(LAST)
    batches = server.tokens([FIRST, SEPARATOR, LAST, SEPARATOR]) == [*one, SEPARATOR, *two, SEPARATOR]
    learnt = Template(shapes, len(server.tokens(frame)), (0, 0), batches)
    leads = [_beyond(server, learnt, _talk(roles)) for roles in ("u", "su")]
    if leads[0] is None or leads[1] is None:
        return None
    learnt = replace(learnt, lead=(leads[0], leads[1]))
    return learnt if _holds(server, learnt) else None


def in_frame(message: Wired) -> list[Wired]:
    """A conversation around a message, always the same."""
    return [user(FIRST).to_dict(), message, user(LAST).to_dict()]


def plain_text(message: Wired) -> str | None:
    """The text of a message that has nothing but text and, if it is a tool's result, the id of its call."""
    beside = {"tool_call_id"} if message["role"] == "tool" else set()
    content = message["content"]
    return content if isinstance(content, str) and message.keys() - {"role", "content"} <= beside else None


def _middle(server: LlamaServer, frame: str, head: str) -> Cut:
    """Cuts out the block that a message adds to the frame, behind the frame's first block."""

    def cut(message: Wired) -> str | None:
        prompt = server.taken(in_frame(message)) or ""
        end = len(head) + len(prompt) - len(frame)
        return (
            prompt[len(head) : end] if prompt.startswith(head) and prompt[: len(head)] + prompt[end:] == frame else None
        )

    return cut


def _beginning(server: LlamaServer, head: str, tail: str) -> Cut:
    """Cuts out the block that a message adds before a conversation, or puts in the place of what the template adds."""
    added = head.removesuffix(tail)

    def cut(message: Wired) -> str | None:
        prompt = server.taken([message, user(FIRST).to_dict()], opening=False) or ""
        return prompt.removesuffix(tail).removeprefix(added) if prompt.endswith(tail) else None

    return cut


def _shapes(server: LlamaServer, roles: Iterable[str], cut: Cut) -> dict[str, Shape]:
    """What stands around the texts of each role; not of those where that, or the text, differs from text to text."""
    shapes = {}
    for role in roles:
        found = set()
        for number, text in enumerate(TEXTS):
            beside = {"tool_call_id": f"call{number}"} if role == "tool" else {}
            block = cut({"role": role, "content": text, **beside})
            found.add(None if block is None else _around(text, block))
        shape = None if None in found else _agreed(found)
        if shape is not None and _stands_apart(server, shape.before):
            shapes[role] = shape
    return shapes


def _around(text: str, block: str) -> Shape | None:
    """Only a text with blanks at its ends tells whether they are cut off."""
    for kept in (text, text.strip()):
        if block.count(kept) == 1:
            before, after = block.split(kept)
            return Shape(before, after, trimmed=kept != text)
    return None


def _agreed(found: set[Shape | None]) -> Shape | None:
    """The one shape that all texts have, but for what only the one with blanks can tell."""
    around = {(shape.before, shape.after) for shape in found if shape is not None}
    return Shape(*around.pop(), trimmed=any(shape and shape.trimmed for shape in found)) if len(around) == 1 else None


def _stands_apart(server: LlamaServer, text: str) -> bool:
    """Whether it begins with a control token: no token reaches across one, whatever stands before it."""
    return not text or server.tokens(text)[:1] != server.tokens(text, special=False)[:1]


def piece(server: LlamaServer, learnt: Template, message: Wired) -> tuple[str, int]:
    """What to tokenize to size this message, and how many tokens of that are not its own.

    A message the server refuses has the size of its text: a request that holds it is refused as well.
    """
    shape, text = learnt.shapes.get(message["role"]), plain_text(message)
    block = shape.block(text) if shape is not None and text is not None else None
    if block is not None:
        return block, 0
    prompt = server.taken(in_frame(message))
    if prompt is None:
        return Message(message["role"], message["content"]).text, 0
    return prompt, learnt.frame_tokens


def _beyond(server: LlamaServer, learnt: Template, talk: Sequence[Wired]) -> int | None:
    """What the server counts beyond the sum of the messages; None where it refuses them, or its counts differ."""
    prompt = server.taken(talk)
    if prompt is None:
        return None
    total = len(server.tokens(prompt, whole=True))
    pieces = [piece(server, learnt, message) for message in talk]
    sizes = server.sizes([text for text, _ in pieces], batches=learnt.batches)
    return total - sum(sizes) + sum(beyond for _, beyond in pieces) if server.counted(talk) in (total, None) else None


def _holds(server: LlamaServer, learnt: Template) -> bool:
    """Whether the parts add up to the server's own numbers, for conversations of every kind it accepts."""
    for roles, needed in (("uuauau", True), ("suaau", True), ("suuuauau", True), ("duau", False), ("auusuaudu", False)):
        talk = _talk(roles)
        beyond = _beyond(server, learnt, talk)
        # it may refuse an assistant before the user, or a system message in the middle
        if beyond != learnt.lead[talk[0]["role"] in SYSTEM_ROLES] and (needed or server.taken(talk) is not None):
            return False
    return True


def _talk(roles: str) -> list[Wired]:
    """A conversation of these roles (s, d, u, a), with other texts in each place."""
    texts = [LAST, *TEXTS, "", "\n", " x ", "日本語 😀"]
    names = {"s": "system", "d": "developer", "u": "user", "a": "assistant"}
    return [
        {"role": names[role], "content": texts[(place + len(roles)) % len(texts)]} for place, role in enumerate(roles)
    ]
