"""Makes text from people and models safe to draw.

It is drawn as Markdown without HTML, without images, and without Streamlit's own extensions ($formulas$, :colour[...],
:icons:); line breaks and runs of blanks, which Markdown would swallow, are kept. An image of Markdown becomes a link,
because a browser that fetches it tells its address's owner who reads what. Only the drawing changes: the text itself is
stored, sent and copied.
"""

from __future__ import annotations

import re

from lib.messages import utf8_safe

DRAWN_CHARACTERS = 8_000
"""Characters of a message that are drawn at first; the rest is one click away."""

NBSP = "\u00a0"

_CODE = re.compile(
    r"(?P<fence>^ {0,3}(?P<mark>`{3,}(?=[^`\n]*\n)|~{3,})[^\n]*\n.*?(?:^ {0,3}(?P=mark)[`~]*"
    r"[ \t]*$|\Z))|(?P<escaped>\\[\\`])|(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`)|(?P<run>`+)",
    re.DOTALL | re.MULTILINE,
)
"""Code, and what begins none: an escaped sign, and marks that nothing closes."""


# Four blanks after an empty line would begin a code block, which nobody who types them in a chat means.
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4,}|\t)(?![ \t]*(?:[-*+]|\d+[.)])\s)")


def as_markdown(text: str) -> str:
    """Text for st.markdown. Code spans and blocks stay as they are, since Streamlit takes everything in them literally.

    Example: as_markdown("costs $5 and :red[x]") -> "costs \\$5 and &#58;red[x]"
    """
    text, parts, done = utf8_safe(text), [], 0
    for code in _CODE.finditer(text):
        if code["escaped"] or code["run"]:
            continue
        if code["ticks"] and "![" in code.group() and "\n" in code.group():
            continue  # a list or a heading may begin in it, and then it is no code
        parts += [_plain(text[done : code.start()]), code.group()]
        done = code.end()
    return "".join([*parts, _plain(text[done:])])


def as_label(text: str, limit: int = 60) -> str:
    """One line for a label that Streamlit reads as Markdown: without any, and cut to `limit` characters."""
    return plain_line(as_option(text, limit))


def plain_line(text: str) -> str:
    """One line that Markdown and Streamlit draw exactly as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~<>$:^=&])", _entity, text)


def as_option(text: str, limit: int = 60) -> str:
    """One line for the options of a select box, which are drawn as they are; cut to `limit` characters."""
    line = " ".join(utf8_safe(text)[: limit * 4].split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def cut(text: str, limit: int = DRAWN_CHARACTERS) -> tuple[str, int]:
    """The beginning of a text, and how many characters are missing.

    Example: cut("abcdef", 4) -> ("abcd", 2)
    """
    return text[:limit], max(0, len(text) - limit)


def _plain(text: str) -> str:
    """A part outside code."""
    text = text.replace("<", "&lt;")  # even with HTML off, it would begin a block without Markdown
    text = _INDENTED.sub(lambda blanks: NBSP * len(blanks.group().expandtabs(4)), text)
    text = text.replace("\\$", "$")  # an escaped dollar sign and a plain one are drawn alike
    text = re.sub(r"\$", r"\\$", text)
    text = re.sub(r":(?=[a-zA-Z0-9_+-]+[\[:/])", "&#58;", text)  # :red[...], :smile:, :material/home:
    text = re.sub(r"(\\*)!(?=\[)", _no_image, text)
    text = re.sub(r"(?<=\S) {2,}(?=\S)", lambda run: " " + NBSP * (len(run.group()) - 1), text)
    return re.sub(r"(?<=\S)\n(?=[^\n])", "  \n", text)


def _no_image(mark: re.Match[str]) -> str:
    """The mark that begins an image, written so that it begins none. One behind an odd backslash begins none anyway."""
    backslashes = mark.group(1)
    return mark.group() if len(backslashes) % 2 else f"{backslashes}&#33;"


def _entity(character: re.Match[str]) -> str:
    return f"&#{ord(character.group())};"
