"""What a person should know about each way of keeping a history, with sources.

Every statement names its source and the day it was read, and says so if the source is second-hand. Statements about a
vendor's servers are the vendor's own: none of them can be checked without an account.
"""

from __future__ import annotations

from lib.server_history import Approach, Fact, Facts

READ_ON = "2026-11-22"
STATE_GUIDE = "developers.openai.com, Conversation state guide"
MIGRATION_GUIDE = "developers.openai.com/api/docs/assistants/migration"
OPENAI_SDK = "openai 3.54.0, the SDK's types"
THREADS_DOCS = "platform.claude.com/docs/en/build-with-claude/message-threads"
ANTHROPIC_SDK = "anthropic 2.12.0, the SDK's types"
WINDOWSEAT = "how Windowseat works"
DATA_CONTROLS = "second-hand: pages that quote OpenAI's data-controls page"
TESTED_SERVERS = "servers we ran and tested"


def _fact(says: str, source: str) -> Fact:
    return Fact(says, source, READ_ON)


_TRUNCATION = _fact(
    "The server, if truncation is auto: it drops the oldest items. If truncation is disabled, it refuses an overflow"
    " with 400.",
    OPENAI_SDK,
)
_INVISIBLE = _fact(
    "No. The server echoes the setting but never says what it dropped; only the input tokens show it.", OPENAI_SDK
)
_OVERFLOW = _fact("Refused with 400 or trimmed silently, depending on the truncation setting.", OPENAI_SDK)

MANUAL = Facts(
    name="Sent again every turn",
    location=_fact(
        "In your store. The server sees the whole conversation with every turn and keeps none of it for you.",
        WINDOWSEAT,
    ),
    retention=_fact("Until your TTL expires.", WINDOWSEAT),
    who_trims=_fact("You, with the strategy you choose; every message shows why it was kept or dropped.", WINDOWSEAT),
    trimming_visible=_fact("Yes, exactly.", WINDOWSEAT),
    listing=_fact("Yes: your own sessions.", WINDOWSEAT),
    edit=_fact("Yes.", WINDOWSEAT),
    export=_fact("Yes: it is your copy.", WINDOWSEAT),
    delete=_fact("Yes, and the store says how many keys it deleted.", WINDOWSEAT),
    overflow=_fact("The provider refuses with 400, or the plan says beforehand that it does not fit.", WINDOWSEAT),
    portability=_fact("Any provider, at any turn.", WINDOWSEAT),
    best_for=_fact("Seeing and choosing what is sent, any provider, your own retention.", WINDOWSEAT),
)

CONVERSATIONS = Facts(
    name="OpenAI Conversations (the successor of Assistants threads)",
    location=_fact("At the provider, as an object whose id outlives every response.", STATE_GUIDE),
    retention=_fact(
        "Until it is deleted: the 30 days of responses do not apply to items of a conversation.", STATE_GUIDE
    ),
    who_trims=_TRUNCATION,
    trimming_visible=_INVISIBLE,
    listing=_fact("No call lists conversations: if you lose the id, you lose the conversation.", OPENAI_SDK),
    edit=_fact("Items can be added and deleted one by one, but not changed.", OPENAI_SDK),
    export=_fact("Yes: its items, in pages of up to 100.", OPENAI_SDK),
    delete=_fact("Yes, whole or item by item. Not available at all with zero data retention.", DATA_CONTROLS),
    overflow=_OVERFLOW,
    portability=_fact("OpenAI, and the few servers that copy it.", TESTED_SERVERS),
    best_for=_fact("Chats that last for months at one provider, with several writers or devices.", WINDOWSEAT),
)

RESPONSES = Facts(
    name="A chain of responses (previous_response_id)",
    location=_fact("At the provider, turn by turn: each response names the one before it.", STATE_GUIDE),
    retention=_fact("30 days if stored, which is the default.", STATE_GUIDE),
    who_trims=_TRUNCATION,
    trimming_visible=_INVISIBLE,
    listing=_fact("No call lists responses.", OPENAI_SDK),
    edit=_fact("No, but a chain can be continued from any of its turns: a fork.", OPENAI_SDK),
    export=_fact("Yes, by walking the chain: input items and output of each response.", OPENAI_SDK),
    delete=_fact("Response by response.", OPENAI_SDK),
    overflow=_OVERFLOW,
    portability=_fact(
        "OpenAI, Azure, and servers that store responses. Some accept any id and ignore it.", TESTED_SERVERS
    ),
    best_for=_fact("Short chains and experiments that fork, when 30 days are enough.", WINDOWSEAT),
)

ASSISTANTS = Facts(
    name="Assistants threads (switched off by OpenAI and Azure)",
    location=_fact(
        "Retired at OpenAI and Azure; some other servers still support it. Switched off on 2026-08-26.", MIGRATION_GUIDE
    ),
    retention=_fact(
        "Threads were not moved to Conversations automatically.", "second-hand: migration guides by others"
    ),
    who_trims=_fact("The server: by default it drops messages from the middle of the thread.", OPENAI_SDK),
    trimming_visible=_fact("No. The run echoes the setting but never says what was dropped.", OPENAI_SDK),
    listing=_fact("No call lists threads.", OPENAI_SDK),
    edit=_fact("Messages can be deleted; only their metadata can be changed.", OPENAI_SDK),
    export=_fact("Yes: the list of messages.", OPENAI_SDK),
    delete=_fact("Yes: the thread and the assistant, each by its own call.", OPENAI_SDK),
    overflow=_fact("The run ends incomplete with a reason, or failed with an error.", OPENAI_SDK),
    portability=_fact("None: compatible servers only.", MIGRATION_GUIDE),
    best_for=_fact("Nothing new: reading what an older compatible server still holds.", WINDOWSEAT),
)

CLAUDE = Facts(
    name="Claude message threads (beta)",
    location=_fact("At the provider, encrypted and in memory only, under the id of the last reply.", THREADS_DOCS),
    retention=_fact("Not found five minutes after its last use, deleted within an hour.", THREADS_DOCS),
    who_trims=_fact("Nobody, unless context edits are requested.", THREADS_DOCS),
    trimming_visible=_fact("Requested context edits are reported with the tokens they cleared.", ANTHROPIC_SDK),
    listing=_fact("No.", ANTHROPIC_SDK),
    edit=_fact("No: a changed history is a new thread.", ANTHROPIC_SDK),
    export=_fact("Only from your own copy.", ANTHROPIC_SDK),
    delete=_fact("No call deletes it. It expires.", ANTHROPIC_SDK),
    overflow=_fact("The reply stops with model_context_window_exceeded, or the request is refused.", ANTHROPIC_SDK),
    portability=_fact(
        "Claude's own API and the clouds that offer it. Servers that copy Messages ignore threads.", TESTED_SERVERS
    ),
    best_for=_fact("Long agent loops within minutes, where uploading every turn is slow.", WINDOWSEAT),
)

FACTS: dict[Approach, Facts] = {
    "manual": MANUAL,
    "conversations": CONVERSATIONS,
    "responses": RESPONSES,
    "assistants": ASSISTANTS,
    "claude": CLAUDE,
}
