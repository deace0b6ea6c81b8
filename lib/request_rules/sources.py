"""What each provider says about the shape of a request, or answers to one that is out of shape, with source and day.

The rule: words between “ and ” are the source's own, letter by letter; everything else is told in ours. A statement holds
as of its day: providers loosen and tighten their rules without a version. It leaves out what nobody was seen to say.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Said(NamedTuple):
    """One provider about one rule. `refused`: it answers with an error; else it accepts, or changes something silently."""

    text: str
    source: str
    as_of: date
    refused: bool


READ = date(2026, 11, 22)
"""When documentation without a day of its own was read."""
MESSAGES_API = "Anthropic, Messages API reference, as in anthropic 2.12.0"
CHAT_API = "OpenAI, Chat Completions reference, as in openai 3.54.0"

ANTHROPIC = {
    "first_role": Said(
        "Accepted since October 2024, and some tokens are added before it. Until then: “messages: first message must"
        ' use the "user" role”.',
        "lobehub/lobehub#1601 (2024), anthropics/courses#67 and #79 (2025), pydantic/pydantic-ai#6255 (tried) and its"
        " recorded requests",
        date(2026, 7, 3),
        False,
    ),
    "alternation": Said(
        "“Consecutive `user` or `assistant` turns in your request will be combined into a single turn.” Until October"
        " 2024 they were refused.",
        f"{MESSAGES_API}; etkecc/baibot#13 (2024)",
        READ,
        False,
    ),
    "orphan_result": Said(
        "“Each `tool_result` block must have a corresponding `tool_use` block in the previous message.”",
        "anthropics/claude-code#18947",
        date(2026, 1, 18),
        True,
    ),
    "unanswered_call": Said(
        "“Each `tool_use` block must have a corresponding `tool_result` block in the next message.”",
        "anthropics/claude-code#8210",
        date(2025, 9, 26),
        True,
    ),
    "empty_content": Said(
        "“messages: text content blocks must be non-empty”. Blanks alone count as empty.",
        "anthropics/claude-code#59812",
        date(2026, 5, 16),
        True,
    ),
    "system_place": Said(
        "Instructions travel beside the messages, in `system`. Those from the middle are moved there, so that they hold"
        " from the beginning. Claude Opus 4.8 and most after it could take them in place; earlier models answer “role"
        " 'system' is not supported on this model”.",
        "simonw/llm-anthropic#73, anthropics/claude-code#61412",
        date(2026, 5, 28),
        False,
    ),
    "last_role": Said(
        "“This model does not support assistant message prefill. The conversation must end with a user message.” So"
        " from Claude 4.6 on; earlier models go on writing that message.",
        f"{MESSAGES_API}; strands-agents/sdk-python#1694",
        READ,
        True,
    ),
    "unknown_part": Said(
        "Knows user and assistant, and calls and results as parts of their content. The role tool is refused, and what"
        " stands beside the content is not sent.",
        MESSAGES_API,
        READ,
        True,
    ),
    "no_message": Said(
        "“messages: at least one message is required”. Instructions alone are none.",
        "danny-avila/LibreChat#6484",
        READ,
        True,
    ),
    "size": Said("“prompt is too long: 208310 tokens > 200000 maximum”", "anthropics/claude-code#12186", READ, True),
    "reply_room": Said(
        "Accepted from Claude 4.5 on: the reply ends where the window does (stop reason model_context_window_exceeded)."
        " Earlier models: “input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000”.",
        f"{MESSAGES_API}; docker/docker-agent#569 (2025)",
        READ,
        False,
    ),
}

OPENAI = {
    "first_role": Said(
        "Accepted: people who tried found that OpenAI does not mind who speaks first. Servers with a strict"
        " template do.",
        "mckaywrigley/chatbot-ui#1656",
        date(2024, 4, 9),
        False,
    ),
    "alternation": Said(
        "Accepted: the same messages that Anthropic then refused went through. Servers with a strict template refuse"
        " them.",
        "mattermost/mattermost-plugin-agents#180",
        date(2024, 5, 13),
        False,
    ),
    "orphan_result": Said(
        "“Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.”",
        "smarter-sh/smarter#264",
        date(2025, 1, 22),
        True,
    ),
    "unanswered_call": Said(
        "“An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.”",
        "BerriAI/litellm#10083",
        date(2025, 4, 17),
        True,
    ),
    "empty_content": Said(
        "“Invalid value for 'content': expected a string, got null.” Null is for messages with tool calls; an empty"
        " string is accepted, an empty list is not.",
        f"run-llama/llama_index#17921; {CHAT_API}",
        date(2025, 2, 25),
        True,
    ),
    "system_place": Said(
        "Accepted anywhere. “Typically, a conversation is formatted with a system message first, followed by"
        " alternating user and assistant messages.”",
        "OpenAI, chat guide, as in ConnectAI-E/feishu-openai#28",
        date(2023, 3, 3),
        False,
    ),
    "last_role": Said(
        "No rule about who speaks last is known. What the model makes of its own unfinished words is not documented.",
        CHAT_API,
        READ,
        False,
    ),
    "unknown_part": Said(
        "“Invalid value: 'image'. Supported values are: 'text' and 'image_url'.” So for any part in another provider's"
        " words, and for unknown roles; function is refused by newer models.",
        "aallam/openai-kotlin#320 (2024), TheR1D/shell_gpt#717",
        date(2025, 7, 21),
        True,
    ),
    "no_message": Said("A request needs at least one message.", CHAT_API, READ, True),
    "size": Said(
        "“Your input exceeds the context window of this model. Please adjust your input and try again.”",
        "anomalyco/opencode#6071",
        date(2025, 12, 23),
        True,
    ),
    "reply_room": Said(
        "“However, you requested 4203 tokens (3703 in the messages, 500 in the completion).” The reply's limit is"
        " counted in.",
        "The-Vibe-Company/quivr#505",
        date(2023, 7, 4),
        True,
    ),
}

STRICT = {
    "first_role": Said(
        "“Conversation roles must alternate user/assistant/user/assistant/...”, and the user begins.",
        "Gemma's chat template; intel/llm-on-ray#199",
        date(2024, 5, 14),
        True,
    ),
    "alternation": Said(
        "“After the optional system message, conversation roles must alternate user and assistant roles”. Mistral wants"
        " words of the assistant after every tool result, too.",
        "charmbracelet/crush#279, NousResearch/hermes-agent#20154",
        date(2026, 5, 5),
        True,
    ),
    "orphan_result": Said(
        "“Unexpected role 'tool' after role 'user'”",
        "Mistral's server; charmbracelet/crush#279",
        date(2025, 7, 22),
        True,
    ),
    "unanswered_call": Said(
        "“Not the same number of function calls and responses”", "mistralai/mistral-common, its tests", READ, True
    ),
    "empty_content": Said(
        "“Invalid content type”: content that is neither text nor a list of parts.", "Gemma's chat template", READ, True
    ),
    "system_place": Said(
        "“System message must be at the beginning.” One, and first.",
        "QwenLM/Qwen3.8#244, ggml-org/llama.cpp#27367",
        date(2026, 9, 22),
        True,
    ),
    "last_role": Said(
        "“Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant”. llama.cpp"
        " goes on writing that message instead.",
        "Mistral's server; 0xPlaygrounds/rig#708",
        date(2025, 8, 16),
        True,
    ),
    "unknown_part": Said(
        "“Only user and assistant roles are supported, with the exception of an initial optional system message!”",
        "Mistral's chat template",
        READ,
        True,
    ),
    "no_message": Said(
        "The templates look at the first message, so there must be one.", "Mistral's chat template", READ, True
    ),
    "size": Said(
        "llama.cpp refuses it (exceed_context_size_error). Ollama drops the beginning and does not say so.",
        "llama.cpp, as it runs in this app; ollama/ollama#3839",
        READ,
        True,
    ),
    "reply_room": Said(
        "llama.cpp accepts it, and the reply ends where the window does.",
        "llama.cpp, as it runs in this app",
        READ,
        False,
    ),
}

SOURCES = {"openai": OPENAI, "anthropic": ANTHROPIC, "strict": STRICT}
