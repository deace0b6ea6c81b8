"""Why a message is sent or not: a closed set of reasons, with one plain sentence for each."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "system",
    "pinned",
    "recent",
    "fits",
    "over_budget",
    "batch",
    "outside_window",
    "middle",
    "summarized",
    "muted",
    "partner_left_out",
    "app_sent",
    "app_changed",
    "app_dropped",
    "server_kept",
]

REASON_TEXT: dict[Reason, str] = {
    "system": "Sent: instructions to the model always go along, and so does a summary.",
    "pinned": "Sent: it is pinned, by you or by the strategy, so it goes along whatever else is dropped.",
    "recent": "Sent: it belongs to the newest part of the conversation that fits.",
    "fits": "Sent: everything fits.",
    "over_budget": "Dropped: with it, the request would exceed the token budget.",
    "batch": "Dropped in one batch with the messages before it, so that the next requests begin the same.",
    "outside_window": "Dropped: it is older than the last exchanges this strategy sends.",
    "middle": "Dropped: this strategy keeps the first and the newest exchanges, and this one is in between.",
    "summarized": "Dropped: a summary is sent in its place.",
    "muted": "Not sent: it was muted or replaced. It stays stored.",
    "partner_left_out": (
        "Dropped: its question, tool call or tool result is not sent, and providers refuse one without the other."
    ),
    "app_sent": "Sent: your app put it into its request.",
    "app_changed": "Sent, with other words than are stored here: your app changed it.",
    "app_dropped": "Dropped by your app: it belongs to the conversation so far, and this request does not hold it.",
    "server_kept": "Not sent again: the server keeps it, and the request says from which answer to go on.",
}
