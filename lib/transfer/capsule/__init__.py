"""The capsule: whole sessions in one JSON file, which can be stored again exactly as they were.

A file is one object, its members in this order:

- `windowseat_capsule`: the version, 1
- `title`, `note`: what the file is about, for people; both may be empty. A capsule with several sessions, a title and
  a note is a class pack.
- `sessions`: see lib/transfer/capsule/session_json.py
- `sha256`: of all bytes before it

It holds no key, no owner, no id of a conversation that a server keeps, and no time of its making: the same sessions
always make the same bytes, and reading and writing them again does so too.
"""

VERSION = 1
MARK = "windowseat_capsule"
"""The first name in every capsule. Its value is the version."""
NOTE_LENGTH = 10_000
"""Longest note, in characters."""
