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

_MARK = r"(?P<mark>(?P<tick>[`~])(?P=tick){2,})(?:(?<=~)|(?=[^`\n]*$))"  # no backtick may follow backticks
_CODE = re.compile(
    rf"(?P<fence>^(?P<blanks> {{0,3}}){_MARK}(?P<info>[^\n]*)\n.*?(?:^ {{0,3}}(?P=mark)(?P=tick)*[ \t]*$|\Z))"
    r"|\\."  # an escaped character, which may be a backtick
    r"|(?P<span>(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n|\n {0,3}(?:```|~~~)).)+?(?<!`)(?P=ticks)(?!`))"
    r"|`+",  # a run without a partner
    re.DOTALL | re.MULTILINE,
)
"""Code blocks and spans, and what could be taken for their beginning and is none."""
WORD_JOINER = "\u2060"
"""A character without width, at which no line breaks."""

# Four blanks after an empty line would begin a code block, which nobody who types them in a chat means.
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4,}|\t)(?![ \t]*(?:[-*+]|\d+[.)])\s)")


def as_markdown(text: str) -> str:
    """Text for st.markdown. Code spans and blocks stay as they are, since Streamlit takes everything in them literally.

    Example: as_markdown("costs $5 and :red[x]") -> "costs \\$5 and &#58;red[x]"
    """
    text, parts, done = utf8_safe(text), [], 0
    sure, no_image = True, "](" not in text and "]:" not in text
    for code in _CODE.finditer(text):
        if code["fence"] or code["span"]:
            # a block that is moved in may end earlier, with the item it stands in, and one with "|" be a table's head
            sure = sure and not code["blanks"] and "|" not in (code["info"] or "")
            is_code = no_image or (sure and code["fence"] and "![" not in code["info"])
            parts += [_plain(text[done : code.start()]), code.group() if is_code else _split_marks(code.group())]
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
    text = re.sub(r"(?<!\\)(\\*)!(?=\[)", _no_image, text)
    text = re.sub(r"(?<=\S) {2,}(?=\S)", lambda run: " " + NBSP * (len(run.group()) - 1), text)
    return re.sub(r"(?<=\S)\n(?=[^\n])", "  \n", text)


def _split_marks(code: str) -> str:
    """What is code unless a list, a table or a heading in it says otherwise: drawn the same, but never as an image."""
    return code.replace("![", f"!{WORD_JOINER}[")


def _no_image(mark: re.Match[str]) -> str:
    """The mark that begins an image, written so that it begins none. One behind an odd backslash begins none anyway."""
    backslashes = mark.group(1)
    return mark.group() if len(backslashes) % 2 else f"{backslashes}&#33;"


def _entity(character: re.Match[str]) -> str:
    return f"&#{ord(character.group())};"
