"""How much a file may hold. They bound the memory that reading takes, whatever the bytes are.

The upload limit of the app (`server.maxUploadSize`) is the same as MOST_BYTES.
"""

from __future__ import annotations

MB = 2**20

MOST_BYTES = 200 * MB
"""Bytes of a file, and of the JSON in it after unpacking. ChatGPT exports of several years have 50 to 150 MB."""
MOST_CONVERSATION_BYTES = 32 * MB
"""Bytes of one conversation's JSON. It is the largest piece that is ever parsed at once."""
MOST_VALUES = 3_000_000
"""Brackets and commas in the piece that is parsed at once; each stands for a Python object."""
MOST_LEVELS = 400
"""Levels of nesting in one conversation's JSON. LibreChat nests each message in the one before, two levels each.
A message itself may have lib.outside_values.MOST_LEVELS."""
MOST_LINES = 2_000_000
"""Lines of a JSONL file."""
MOST_CONVERSATIONS = 20_000
"""Conversations in one file, branches included."""
MOST_MESSAGES = 100_000
"""Messages of one conversation."""
MOST_BRANCHES = 50
"""Branches of one conversation that are offered."""
MOST_PROBLEMS = 100
"""Problems that are listed for one conversation. Further ones are counted."""

MOST_ENTRIES = 50_000
"""Files in a zip archive. An export has one for each image."""
MOST_RATIO = 200
"""How many times larger a file of an archive may be than its packed bytes. JSON of chats packs 4 to 20 times."""
