"""What a person should know about each way of keeping a history, with sources.

The one rule: every statement names where it was read and when, and says so where it is second-hand. Statements about the
vendors' servers are theirs: none of them can be checked without an account.
"""

from __future__ import annotations

from lib.server_history import Approach, Fact, Facts

READ = "2026-11-22"
STATE = "developers.openai.com, Conversation state guide"
MIGRATION = "developers.openai.com/api/docs/assistants/migration"
SDK = "openai 3.54.0, the SDK's types"
THREADS_DOC = "platform.claude.com/docs/en/build-with-claude/message-threads"
CLAUDE_SDK = "anthropic 2.12.0, the SDK's types"
HERE = "how Windowseat works"
SECOND_HAND = "second-hand: pages that quote OpenAI's data-controls page"


def _fact(says: str, source: str) -> Fact:
    return Fact(says, source, READ)


_TRUNCATION = _fact(
    "The server, if truncation is auto: it leaves out the oldest items. If it is disabled, too much is refused with"
    " 400.",
    SDK,
)
_BLIND = _fact("No. The setting is echoed, but what was left out is never said; only the input tokens show it.", SDK)

MANUAL = Facts(
    name="Sent again every turn",
    lives=_fact(
        "In your store. The server sees the whole conversation with every turn and keeps no part of it for you.", HERE
    ),
    retention=_fact("As long as your own time to live says.", HERE),
    who_trims=_fact("You, by the chosen strategy, one reason per message.", HERE),
    can_you_see_it=_fact("Yes, exactly.", HERE),
    list_=_fact("Yes: your own sessions.", HERE),
    edit=_fact("Yes.", HERE),
    export=_fact("Yes: it is your copy.", HERE),
    delete=_fact("Yes, and the store says how many keys it deleted.", HERE),
    overflow=_fact("The provider refuses with 400, or the plan says beforehand that it does not fit.", HERE),
    portability=_fact("Any provider, any turn.", HERE),
    best_for=_fact("Seeing and choosing what is sent, any provider, your own retention.", HERE),
)

CONVERSATIONS = Facts(
    name="OpenAI Conversations (what Assistants threads became)",
    lives=_fact("At the provider, as an object with an id that outlives every response.", STATE),
    retention=_fact("Until it is deleted: items of a conversation are not subject to the 30 days of responses.", STATE),
    who_trims=_TRUNCATION,
    can_you_see_it=_BLIND,
    list_=_fact("No call lists conversations: lose the id, lose the conversation.", SDK),
    edit=_fact("Items can be added and deleted one by one, not changed.", SDK),
    export=_fact("Yes: its items, in pages of up to 100.", SDK),
    delete=_fact("Yes, whole or item by item. Not possible with zero data retention at all.", SECOND_HAND),
    overflow=_fact("Refused with 400, or trimmed silently, by the truncation setting.", SDK),
    portability=_fact("OpenAI, and the few servers that copy it.", "servers that were run and asked"),
    best_for=_fact("Chats that last for months at one provider, with several writers or devices.", HERE),
)

RESPONSES = Facts(
    name="A chain of responses (previous_response_id)",
    lives=_fact("At the provider, turn by turn: each response names the one before it.", STATE),
    retention=_fact("30 days by default when stored, which is the default.", STATE),
    who_trims=_TRUNCATION,
    can_you_see_it=_BLIND,
    list_=_fact("No call lists responses.", SDK),
    edit=_fact("No, but a chain can be continued from any of its turns: a fork.", SDK),
    export=_fact("Yes, by walking the chain: input items and output of each response.", SDK),
    delete=_fact("Response by response.", SDK),
    overflow=_fact("Refused with 400, or trimmed silently, by the truncation setting.", SDK),
    portability=_fact(
        "OpenAI, Azure, and servers that store responses. Some accept any id and ignore it.",
        "servers that were run and asked",
    ),
    best_for=_fact("Short chains and experiments that fork; 30 days are enough.", HERE),
)

ASSISTANTS = Facts(
    name="Assistants threads (switched off by OpenAI and Azure)",
    lives=_fact(
        "Nowhere at OpenAI or Azure any more: switched off on 2026-08-26. PriceComparison, on the server that speaks it.",
        MIGRATION,
    ),
    retention=_fact(
        "Threads were not moved to Conversations automatically.", "second-hand: migration guides of others"
    ),
    who_trims=_fact("The server: by default it drops messages from the middle of the thread.", SDK),
    can_you_see_it=_fact("No. The setting is echoed on the run; what was dropped is never said.", SDK),
    list_=_fact("No call lists threads.", SDK),
    edit=_fact("Messages can be deleted; only their metadata can be changed.", SDK),
    export=_fact("Yes: the list of messages.", SDK),
    delete=_fact("Yes: thread and assistant each.", SDK),
    overflow=_fact("The run ends incomplete with a reason, or failed with an error.", SDK),
    portability=_fact("None: compatible servers only.", MIGRATION),
    best_for=_fact("Nothing new: reading what an older compatible server still holds.", HERE),
)

CLAUDE = Facts(
    name="Claude message threads (beta)",
    lives=_fact("At the provider, encrypted and in memory only, under the id of the last reply.", THREADS_DOC),
    retention=_fact("Not found five minutes after its last use, deleted within an hour.", THREADS_DOC),
    who_trims=_fact("Nobody, unless context edits are asked for.", THREADS_DOC),
    can_you_see_it=_fact("Context edits that are asked for are reported with the tokens they cleared.", CLAUDE_SDK),
    list_=_fact("No.", CLAUDE_SDK),
    edit=_fact("No: a changed history is a new thread.", CLAUDE_SDK),
    export=_fact("Only from your own copy.", CLAUDE_SDK),
    delete=_fact("No call. It expires.", CLAUDE_SDK),
    overflow=_fact("The reply stops with model_context_window_exceeded, or the request is refused.", CLAUDE_SDK),
    portability=_fact(
        "Claude's own API and the clouds that offer it. Servers that copy Messages ignore threads.",
        "servers that were run and asked",
    ),
    best_for=_fact("Long agent loops within minutes, where uploading every turn is slow.", HERE),
)

FACTS: dict[Approach, Facts] = {
    "manual": MANUAL,
    "conversations": CONVERSATIONS,
    "responses": RESPONSES,
    "assistants": ASSISTANTS,
    "claude": CLAUDE,
}
"""By approach."""
