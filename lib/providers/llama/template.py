"""Learns the chat template of a llama.cpp server: the text it puts around each message.

Nothing about any model is written down here. Shapes and sizes are learned from the server with made-up conversations,
and are used only if they add up to the server's own counts for whole conversations. A template without a block per
message cannot be learned, for example one that requires user and assistant to alternate, or that puts the system
prompt into the user's message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lib.messages import SYSTEM_ROLES, Message, user
from lib.providers.llama.server import SEPARATOR, LlamaServer, WireMessage

FIRST, LAST = "a first 7c1e", "a last 9d4b"
TEXTS = (
    " \n a middle 5f2a \n ",
    "<think>\nhm 5f2a\n</think>\n\nyes",
    "[INST] <|im_start|>5f2a<|im_end|> {{ x }} 😀日本",
)
"""Texts that some templates trim, cut or interpret. A role has a shape if all of them stay whole or are trimmed."""
ROLES = ("system", "developer", "user", "assistant", "tool")
TEST_ROLES = (("uuauau", True), ("suaau", True), ("suuuauau", True), ("duau", False), ("auusuaudu", False))
"""Conversations to check what was learned, as initials of roles, and whether the server must accept them.

It may refuse an assistant message before the first user message, or a system message in the middle.
"""
BlockFinder = Callable[[WireMessage], str | None]
"""Has a message rendered among others and returns its block; None if the server refuses it or adds no block."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The text before and after the content of every message of one role."""

    before: str
    after: str
    trims: bool
    """Whether the template trims whitespace off both ends of the content."""

    def block(self, text: str) -> str | None:
        """The message's part of the prompt; None if only the template knows which characters at the ends it trims."""
        if not self.trims:
            return f"{self.before}{text}{self.after}"
        trimmed = text.strip()
        return f"{self.before}{trimmed}{self.after}" if trimmed == text.strip(" \n\t\r") else None


@dataclass(frozen=True, slots=True)
class Template:
    """What was learned about a template."""

    shapes: Mapping[str, Shape]
    """By role. The server renders messages of other roles, one request each."""
    frame_tokens: int
    """Tokens of the conversation around such a message."""
    overhead: tuple[int, int]
    """Tokens of a request beyond its messages: without a system message, and with one."""
    in_batches: bool
    """Whether many texts can be tokenized in one request."""


def learn_template(server: LlamaServer) -> Template | None:
    """Learn the server's template; None if that is not possible. Raises ProviderError if the server cannot be asked."""
    first = [user(FIRST).to_dict()]
    can_learn = server.can_render_and_tokenize()
    frame = server.render_if_accepted([*first, user(LAST).to_dict()]) if can_learn else None
    if frame is None:
        return None
    head = server.render(first, with_reply_start=False)
    shapes = _shapes(server, ROLES, _find_in_middle(server, frame, head))
    if "user" not in shapes or not _starts_with_control_token(server, server.render(first)[len(head) :]):
        return None
    if first_block := shapes["user"].block(FIRST):
        # some templates accept a system message only at the start
        missing = [role for role in SYSTEM_ROLES if role not in shapes]
        shapes |= _shapes(server, missing, _find_at_start(server, head, first_block))
    template = Template(shapes, len(server.tokens(frame)), (0, 0), _tokenizes_batches(server))
    without_system, with_system = (_overhead(server, template, _test_conversation(roles)) for roles in ("u", "su"))
    if without_system is None or with_system is None:
        return None
    template = replace(template, overhead=(without_system, with_system))
    return template if _adds_up(server, template) else None


def text_to_count(server: LlamaServer, template: Template, message: WireMessage) -> tuple[str, int]:
    """The text to tokenize for the size of this message, and how many of its tokens belong to other messages.

    For a message that the server refuses, it is the message's own text: a request with it is refused as well.
    """
    shape, text = template.shapes.get(message["role"]), plain_text(message)
    block = shape.block(text) if shape is not None and text is not None else None
    if block is not None:
        return block, 0
    prompt = server.render_if_accepted(in_frame(message))
    if prompt is None:
        return Message(message["role"], message["content"]).text, 0
    return prompt, template.frame_tokens


def in_frame(message: WireMessage) -> list[WireMessage]:
    """The message in the middle of a conversation that is always the same."""
    return [user(FIRST).to_dict(), message, user(LAST).to_dict()]


def plain_text(message: WireMessage) -> str | None:
    """The text of a message; None if it has more than a text, except for the call id of a tool's result."""
    allowed = {"tool_call_id"} if message["role"] == "tool" else set()
    content = message["content"]
    return content if isinstance(content, str) and message.keys() - {"role", "content"} <= allowed else None


def _tokenizes_batches(server: LlamaServer) -> bool:
    first, last = server.tokens(FIRST), server.tokens(LAST)
    return server.tokens([FIRST, SEPARATOR, LAST, SEPARATOR]) == [*first, SEPARATOR, *last, SEPARATOR]


def _find_in_middle(server: LlamaServer, frame: str, head: str) -> BlockFinder:
    """Finds the block that a message adds to the frame after `head`, the frame's first block."""

    def find_block(message: WireMessage) -> str | None:
        prompt = server.render_if_accepted(in_frame(message)) or ""
        end = len(head) + len(prompt) - len(frame)
        fits_in_frame = prompt.startswith(head) and prompt[: len(head)] + prompt[end:] == frame
        return prompt[len(head) : end] if fits_in_frame else None

    return find_block


def _find_at_start(server: LlamaServer, head: str, first_block: str) -> BlockFinder:
    """Finds the block that a message adds before the first one, also if it replaces a block of the template's own."""
    template_block = head.removesuffix(first_block)

    def find_block(message: WireMessage) -> str | None:
        prompt = server.render_if_accepted([message, user(FIRST).to_dict()], with_reply_start=False) or ""
        if not prompt.endswith(first_block):
            return None
        return prompt.removesuffix(first_block).removeprefix(template_block)

    return find_block


def _shapes(server: LlamaServer, roles: Iterable[str], find_block: BlockFinder) -> dict[str, Shape]:
    """The shape of each role, without roles whose shape or text differs from text to text."""
    shapes = {}
    for role in roles:
        found = set()
        for number, text in enumerate(TEXTS):
            call_id = {"tool_call_id": f"call{number}"} if role == "tool" else {}
            block = find_block({"role": role, "content": text, **call_id})
            found.add(None if block is None else _shape_of(block, text))
        shape = _common_shape(found)
        if shape is not None and _starts_with_control_token(server, shape.before):
            shapes[role] = shape
    return shapes


def _shape_of(block: str, text: str) -> Shape | None:
    """The shape around a text in its block; None if the text is not in there exactly once."""
    for content in (text, text.strip()):
        if block.count(content) == 1:
            before, after = block.split(content)
            return Shape(before, after, trims=content != text)
    return None


def _common_shape(found: set[Shape | None]) -> Shape | None:
    """The one shape that all texts have. Only the text with whitespace at its ends shows whether the template trims."""
    shapes = [shape for shape in found if shape is not None]
    surroundings = {(shape.before, shape.after) for shape in shapes}
    if None in found or len(surroundings) != 1:
        return None
    return Shape(*surroundings.pop(), trims=any(shape.trims for shape in shapes))


def _starts_with_control_token(server: LlamaServer, text: str) -> bool:
    """Whether the text is empty or starts with a control token, so that no token can span its start."""
    return not text or server.tokens(text)[:1] != server.tokens(text, special=False)[:1]


def _overhead(server: LlamaServer, template: Template, conversation: Sequence[WireMessage]) -> int | None:
    """Tokens of a request beyond the sum of its messages; None if the server refuses it or counts differently."""
    prompt = server.render_if_accepted(conversation)
    if prompt is None:
        return None
    total = len(server.tokens(prompt, whole_prompt=True))
    texts = [text_to_count(server, template, message) for message in conversation]
    counts = server.count_texts([text for text, _ in texts], in_batches=template.in_batches)
    sizes = [count - others for count, (_, others) in zip(counts, texts, strict=True)]
    return total - sum(sizes) if server.count_request(conversation) in (total, None) else None


def _adds_up(server: LlamaServer, template: Template) -> bool:
    """Whether sizes and overhead add up to the server's own counts, for conversations of every kind it accepts."""
    for roles, must_accept in TEST_ROLES:
        conversation = _test_conversation(roles)
        overhead = _overhead(server, template, conversation)
        if overhead == template.overhead[conversation[0]["role"] in SYSTEM_ROLES]:
            continue
        if must_accept or server.render_if_accepted(conversation) is not None:
            return False
    return True


def _test_conversation(roles: str) -> list[WireMessage]:
    """A conversation of these roles (s, d, u, a), with different texts in each place."""
    texts = [LAST, *TEXTS, "", "\n", " x ", "日本語 😀"]
    names = {"s": "system", "d": "developer", "u": "user", "a": "assistant"}
    return [
        {"role": names[role], "content": texts[(place + len(roles)) % len(texts)]} for place, role in enumerate(roles)
    ]
