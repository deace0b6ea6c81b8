"""Writes a request as a curl command or a Python program that sends exactly the same bytes.

No key is ever in them, only the name of the environment variable that holds one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes: the URL, and the header that carries the key from an environment variable."""

    url: str
    key_header: str
    """The header up to the key. Example: "Authorization: Bearer "."""
    key_variable: str
    more_headers: tuple[str, ...] = ()
    note: str = ""
    """What to know before trying it, as a sentence for people; empty if there is nothing."""


def as_curl(address: Address, body: str) -> str:
    """A shell command. Example: as_curl(address, "{}") -> "printf %s … | curl https://… --data-binary @-"."""
    end = "BODY"
    while end in body.split("\n"):
        end += "_"
    headers = ["Content-Type: application/json", *address.more_headers]
    lines = [f"curl {address.url}", *(f"  -H '{header}'" for header in headers)]
    lines.append(f'  -H "{address.key_header}${address.key_variable}"')
    command = " \\\n".join(lines)
    # a here-document adds a newline at its end, which the body does not have; printf drops it again
    return f"printf %s \"$(cat <<'{end}'\n{body}\n{end}\n)\" | {command} \\\n  --data-binary @-"


def as_python(address: Address, body: str) -> str:
    """A program that needs no packages and prints the reply as the server streams it."""
    key_name, _, key_prefix = address.key_header.partition(": ")
    headers = {"Content-Type": "application/json"} | dict(header.split(": ", 1) for header in address.more_headers)
    header_lines = "".join(f"    {name!r}: {value!r},\n" for name, value in headers.items())
    return (
        "import os\nimport urllib.request\n\n"
        f"body = {body!r}\n"
        f"headers = {{\n{header_lines}    {key_name!r}: {key_prefix!r} + os.environ[{address.key_variable!r}],\n}}\n"
        f"request = urllib.request.Request({address.url!r}, body.encode(), headers)\n"
        "with urllib.request.urlopen(request) as reply:\n"
        "    for line in reply:\n"
        '        print(line.decode(), end="")\n'
    )
