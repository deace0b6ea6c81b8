"""A request as a command or a program that sends exactly the same bytes, to be tried outside.

The rule: no key is ever in it, only the name of the environment variable that holds one; and the body is the one that was
hashed, byte for byte. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes: its URL, and the header that carries the key, taken from an environment variable."""

    url: str
    key_header: str
    """Name of the header, and what stands before the key: "Authorization: Bearer "."""
    key_variable: str
    more_headers: tuple[str, ...] = ()
    note: str = ""
    """What a person must know before trying it, as a sentence; empty where there is nothing."""


def as_curl(address: Address, body: str) -> str:
    """A shell command. Example: as_curl(address, '{"model":"x"}') -> "curl https://… --data-binary @- <<'BODY' …" """
    end = "BODY"
    while end in body.split("\n"):
        end += "_"
    headers = ["Content-Type: application/json", *address.more_headers]
    lines = [f"curl {address.url}", *(f"  -H '{header}'" for header in headers)]
    lines.append(f'  -H "{address.key_header}${address.key_variable}"')
    command = " \\\n".join(lines)
    # a here-document ends its last line, the body does not: printf takes that away again
    return f"printf %s \"$(cat <<'{end}'\n{body}\n{end}\n)\" | {command} \\\n  --data-binary @-"


def as_python(address: Address, body: str) -> str:
    """A program without any package. The reply comes as the server streams it."""
    name, _, before = address.key_header.partition(": ")
    headers = {"Content-Type": "application/json"} | dict(header.split(": ", 1) for header in address.more_headers)
    listed = "".join(f"    {key!r}: {value!r},\n" for key, value in headers.items())
    return (
        "import os\nimport urllib.request\n\n"
        f"body = {body!r}\n"
        f"headers = {{\n{listed}    {name!r}: {before!r} + os.environ[{address.key_variable!r}],\n}}\n"
        f"request = urllib.request.Request({address.url!r}, body.encode(), headers)\n"
        "with urllib.request.urlopen(request) as reply:\n"
        "    for line in reply:\n"
        '        print(line.decode(), end="")\n'
    )
