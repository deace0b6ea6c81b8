"""Quotes what each provider says about the shape of a request, or how it refuses a bad one, with source and date.

The words between “ and ” are quoted exactly; the rest is ours. A statement holds as of its date, because providers
change their rules without giving them a version. There is no statement without a source.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Source(NamedTuple):
    """What one provider says about one rule. `refused` is False if it accepts such a request or changes it silently."""

    text: str
    citation: str
    """Where that is written."""
    as_of: date
    refused: bool


READ = date(2026, 11, 22)
"""The date for documentation without one of its own: when it was read."""
MESSAGES_API = "Anthropic, Messages API reference, as in anthropic 2.12.0"
CHAT_API = "OpenAI, Chat Completions reference, as in openai 3.54.0"

ANTHROPIC = {
    "first_role": Source(
        "Accepted since October 2024, with some tokens added before it. Until then: “messages: first message must"
        ' use the "user" role”.',
        "lobehub/lobehub#1601 (2024), anthropics/courses#67 and #79 (2025), pydantic/pydantic-ai#6255 (tried) and its"
        " recorded requests",
        date(2026, 7, 3),
        False,
    ),
    "alternation": Source(
        "“Consecutive `user` or `assistant` turns in your request will be combined into a single turn.” Until October"
        " 2024 they were refused.",
        f"{MESSAGES_API}; etkecc/baibot#13 (2024)",
        READ,
        False,
    ),
    "orphan_result": Source(
        "“Each `tool_result` block must have a corresponding `tool_use` block in the previous message.”",
        "anthropics/claude-code#18947",
        date(2026, 1, 18),
        True,
    ),
    "unanswered_call": Source(
        "“Each `tool_use` block must have a corresponding `tool_result` block in the next message.”",
        "anthropics/claude-code#8210",
        date(2025, 9, 26),
        True,
    ),
    "empty_content": Source(
        "“messages: text content blocks must be non-empty”. Whitespace alone counts as empty.",
        "anthropics/claude-code#59812",
        date(2026, 5, 16),
        True,
    ),
    "system_place": Source(
        "Instructions are sent beside the messages, in `system`. Those in the middle are moved there, so they apply"
        " from the beginning. Claude Opus 4.8 and most later models could take them in place; earlier models answer"
        " “role 'system' is not supported on this model”.",
        "simonw/llm-anthropic#73, anthropics/claude-code#61412",
        date(2026, 5, 28),
        False,
    ),
    "last_role": Source(
        "“This model does not support assistant message prefill. The conversation must end with a user message.”"
        " This is true from Claude 4.6 on; earlier models continue that message.",
        f"{MESSAGES_API}; strands-agents/sdk-python#1694",
        READ,
        True,
    ),
    "unknown_part": Source(
        "The roles are user and assistant, and tool calls and results are parts of their content. The role tool is"
        " refused, and fields beside the content are not sent.",
        MESSAGES_API,
        READ,
        True,
    ),
    "no_message": Source(
        "“messages: at least one message is required”. Instructions alone do not count.",
        "danny-avila/LibreChat#6484",
        READ,
        True,
    ),
    "size": Source("“prompt is too long: 208310 tokens > 200000 maximum”", "anthropics/claude-code#12186", READ, True),
    "reply_room": Source(
        "Accepted from Claude 4.5 on: the reply stops when the window is full (model_context_window_exceeded)."
        " Earlier models: “input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000”.",
        f"{MESSAGES_API}; docker/docker-agent#569 (2025)",
        READ,
        False,
    ),
}

OPENAI = {
    "first_role": Source(
        "Accepted: users found that OpenAI does not mind who speaks first. Servers with a strict template do.",
        "mckaywrigley/chatbot-ui#1656",
        date(2024, 4, 9),
        False,
    ),
    "alternation": Source(
        "Accepted: messages that Anthropic refused at that time went through. Servers with a strict template refuse"
        " them.",
        "mattermost/mattermost-plugin-agents#180",
        date(2024, 5, 13),
        False,
    ),
    "orphan_result": Source(
        "“Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.”",
        "smarter-sh/smarter#264",
        date(2025, 1, 22),
        True,
    ),
    "unanswered_call": Source(
        "“An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.”",
        "BerriAI/litellm#10083",
        date(2025, 4, 17),
        True,
    ),
    "empty_content": Source(
        "“Invalid value for 'content': expected a string, got null.” Null is only allowed with tool calls. An empty"
        " string is accepted, an empty list is not.",
        f"run-llama/llama_index#17921; {CHAT_API}",
        date(2025, 2, 25),
        True,
    ),
    "system_place": Source(
        "Accepted anywhere. “Typically, a conversation is formatted with a system message first, followed by"
        " alternating user and assistant messages.”",
        "OpenAI, chat guide, as in ConnectAI-E/feishu-openai#28",
        date(2023, 3, 3),
        False,
    ),
    "last_role": Source(
        "No rule about who speaks last is known. How the model continues its own unfinished message is not documented.",
        CHAT_API,
        READ,
        False,
    ),
    "unknown_part": Source(
        "“Invalid value: 'image'. Supported values are: 'text' and 'image_url'.” The same is true of any part in"
        " another provider's format and of unknown roles. Newer models refuse the role function.",
        "aallam/openai-kotlin#320 (2024), TheR1D/shell_gpt#717",
        date(2025, 7, 21),
        True,
    ),
    "no_message": Source("A request needs at least one message.", CHAT_API, READ, True),
    "size": Source(
        "“Your input exceeds the context window of this model. Please adjust your input and try again.”",
        "anomalyco/opencode#6071",
        date(2025, 12, 23),
        True,
    ),
    "reply_room": Source(
        "“However, you requested 4203 tokens (3703 in the messages, 500 in the completion).” The reply's limit"
        " counts too.",
        "The-Vibe-Company/quivr#505",
        date(2023, 7, 4),
        True,
    ),
}

STRICT = {
    "first_role": Source(
        "“Conversation roles must alternate user/assistant/user/assistant/...”, and the user begins.",
        "Gemma's chat template; intel/llm-on-ray#199",
        date(2024, 5, 14),
        True,
    ),
    "alternation": Source(
        "“After the optional system message, conversation roles must alternate user and assistant roles”. Mistral also"
        " requires an assistant message after every tool result.",
        "charmbracelet/crush#279, NousResearch/hermes-agent#20154",
        date(2026, 5, 5),
        True,
    ),
    "orphan_result": Source(
        "“Unexpected role 'tool' after role 'user'”",
        "Mistral's server; charmbracelet/crush#279",
        date(2025, 7, 22),
        True,
    ),
    "unanswered_call": Source(
        "“Not the same number of function calls and responses”", "mistralai/mistral-common, its tests", READ, True
    ),
    "empty_content": Source(
        "“Invalid content type”: content that is neither text nor a list of parts.", "Gemma's chat template", READ, True
    ),
    "system_place": Source(
        "“System message must be at the beginning.” Only one is allowed.",
        "QwenLM/Qwen3.8#244, ggml-org/llama.cpp#27367",
        date(2026, 9, 22),
        True,
    ),
    "last_role": Source(
        "“Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant”. llama.cpp"
        " continues that message instead.",
        "Mistral's server; 0xPlaygrounds/rig#708",
        date(2025, 8, 16),
        True,
    ),
    "unknown_part": Source(
        "“Only user and assistant roles are supported, with the exception of an initial optional system message!”",
        "Mistral's chat template",
        READ,
        True,
    ),
    "no_message": Source(
        "The templates read the first message, so there must be one.", "Mistral's chat template", READ, True
    ),
    "size": Source(
        "llama.cpp refuses it (exceed_context_size_error). Ollama silently drops the beginning.",
        "llama.cpp, as it runs in this app; ollama/ollama#3839",
        READ,
        True,
    ),
    "reply_room": Source(
        "llama.cpp accepts it, and the reply stops when the window is full.",
        "llama.cpp, as it runs in this app",
        READ,
        False,
    ),
}

SOURCES = {"openai": OPENAI, "anthropic": ANTHROPIC, "strict": STRICT}
