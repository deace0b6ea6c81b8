"""Text from people and models, made safe to draw.

The rule: the text is Markdown with HTML off and with Streamlit's own extensions off ($formulas$, :colour[...], :icons:),
and what Markdown would swallow (line breaks, runs of blanks) is shown. Only the drawing changes: what is stored, sent and
copied is the text itself.
"""

from __future__ import annotations

import re

from lib.messages import utf8_safe

DRAWN_CHARACTERS = 8_000
"""A longer message is drawn up to here; the rest is one click away."""

NBSP = "\u00a0"

_CODE = re.compile(
    r"(?P<fence>^ {0,3}(?P<mark>`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}(?P=mark)[`~]*"
    r" *$|\Z))|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)",
    re.DOTALL | re.MULTILINE,
)


# Four blanks after an empty line begin a code block, but nobody who types them in a chat means one.
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4,}|\t)(?![ \t]*(?:[-*+]|\d+[.)])\s)")


def as_markdown(text: str) -> str:
    """Text for st.markdown. Code spans and blocks are left alone: there, Streamlit takes everything literally.

    Example: as_markdown("costs $5 and :red[x]") -> "costs \\$5 and &#58;red[x]"
    """
    text, shown, done = drawable(text), [], 0
    for code in _CODE.finditer(text):
        shown += [_plain(text[done : code.start()]), code.group()]
        done = code.end()
    return "".join([*shown, _plain(text[done:])])


def as_label(text: str, limit: int = 60) -> str:
    """One line of plain text for a label: no Markdown at all, cut to `limit` characters."""
    line = " ".join(drawable(text)[: limit * 4].split())
    line = line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~<>$:^=&])", _entity, line)


def drawable(text: str) -> str:
    """Text that can be sent to a browser: a lone surrogate, which UTF-8 cannot carry, is drawn as U+FFFD."""
    return utf8_safe(text)


def cut(text: str, limit: int = DRAWN_CHARACTERS) -> tuple[str, int]:
    """The beginning that is drawn, and how many characters are not.

    Example: cut("abcdef", 4) -> ("abcd", 2)
    """
    return text[:limit], max(0, len(text) - limit)


def _plain(text: str) -> str:
    """A stretch outside code."""
    text = text.replace("<", "&lt;")  # with HTML off it would be shown, but as a block in which nothing else counts
    text = _INDENTED.sub(lambda blanks: NBSP * len(blanks.group().expandtabs(4)), text)
    text = text.replace("\\$", "$")  # "\$" typed on purpose and "$" are drawn alike
    text = re.sub(r"\$", r"\\$", text)
    text = re.sub(r":(?=[a-zA-Z0-9_+-]+[\[:/])", "&#58;", text)  # :red[...], :smile:, :material/home:
    text = re.sub(r"(?<=\S) {2,}(?=\S)", lambda run: " " + NBSP * (len(run.group()) - 1), text)
    return re.sub(r"(?<=\S)\n(?=[^\n])", "  \n", text)


def _entity(character: re.Match[str]) -> str:
    return f"&#{ord(character.group())};"
