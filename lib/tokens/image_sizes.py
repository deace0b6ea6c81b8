"""Estimates how many tokens an image is, from its size in pixels, by the formulas that vendors document.

Read on 27 November 2026. OpenAI's guide "Images and vision" and what it bills agree for the models here; for its newer
small models they do not, so none of these is here. Anthropic's guide "Vision" counts patches of 28 × 28 pixels.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from lib import images
from lib.message_parts import Image

OPENAI, ANTHROPIC = "OpenAI's guide to images", "Anthropic's guide to images"


@dataclass(frozen=True, slots=True)
class Tiles:
    """OpenAI's tiles of 512 × 512 pixels. An image seen in low detail has the base alone."""

    base: int
    tile: int
    source: str = OPENAI

    def tokens(self, width: int, height: int, detail: str) -> int:
        """Tokens of an image of this size: first fitted into 2,048 × 2,048, then to a shorter side of 768 pixels."""
        if detail == "low":
            return self.base
        scale = min(1.0, 2048 / max(width, height))
        scale *= min(1.0, 768 / (min(width, height) * scale))
        across, down = (math.ceil(round(side * scale, 3) / 512) for side in (width, height))
        return self.base + self.tile * max(1, across) * max(1, down)


@dataclass(frozen=True, slots=True)
class Patches:
    """Patches of `side` × `side` pixels, at most `most`; a larger image is made smaller first. `longest` is the most
    pixels of the longer side, and `factor` the tokens of a patch."""

    side: int
    most: int
    longest: int | None = None
    factor: float = 1.0
    source: str = OPENAI

    def tokens(self, width: int, height: int, detail: str) -> int:
        """Tokens of an image of this size. The detail does not matter."""
        scale = min(1.0, (self.longest or max(width, height)) / max(width, height))
        across, down = width * scale / self.side, height * scale / self.side
        if math.ceil(round(across, 6)) * math.ceil(round(down, 6)) > self.most:
            shrunk = math.sqrt(self.most / (across * down))
            across, down = across * shrunk, down * shrunk
            whole = min(max(1, math.floor(each)) / each for each in (across, down))  # one side in whole patches
            across, down = across * whole, down * whole
        patches = max(1, math.ceil(round(across, 6))) * max(1, math.ceil(round(down, 6)))
        return math.ceil(min(patches, self.most) * self.factor)


ImageRule = Tiles | Patches

CLAUDE, CLAUDE_LARGE = Patches(28, 1568, 1568, source=ANTHROPIC), Patches(28, 4784, 2576, source=ANTHROPIC)
"""Claude up to 4.6, and from 4.7 on."""
OPENAI_RULES: tuple[tuple[str, ImageRule], ...] = (
    (r"gpt-?4o-mini", Tiles(2833, 5667)),
    (r"gpt-?4\.1-mini", Patches(32, 1536, factor=1.62)),
    (r"gpt-?4\.1-nano", Patches(32, 1536, factor=2.46)),
    (r"o4-mini", Patches(32, 1536, factor=1.72)),
    (r"gpt-?4o|gpt-?4\.1|gpt-?4\.5|gpt-?4-turbo", Tiles(85, 170)),
    (r"o1|o3", Tiles(75, 150)),
    (r"gpt-?5", Tiles(70, 140)),
    (r"computer-use-preview", Tiles(65, 129)),
)
"""Start of a model's name, and how it counts images."""
_DATED = r"(?:-(?:chat-)?latest|-preview)?(?:-\d{4}-\d{2}-\d{2}|-\d{4})?"


def openai_rule(name: str) -> ImageRule | None:
    """The rule of a model of OpenAI; None if none is documented for it. `name` may have a date at its end."""
    return next((rule for start, rule in OPENAI_RULES if re.fullmatch(f"(?:{start}){_DATED}", name)), None)


def image_tokens(rule: ImageRule | None, image: Image) -> int | None:
    """Estimated tokens of an image; None if the rule or the size in pixels is not known."""
    if rule is None:
        return None
    if image.detail == "low" and isinstance(rule, Tiles):
        return rule.base
    size = images.size_of(image.data)
    return None if size is None or not all(size) else rule.tokens(*size, image.detail)
