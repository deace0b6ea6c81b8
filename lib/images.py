"""Reads images out of base64: their size in pixels, and a small picture of them to draw.

Only PNG, JPEG, GIF and WebP are read, up to a size in bytes and in pixels, so that no stored value makes the app
unpack more than a picture. An image at an address is never fetched.
"""

from __future__ import annotations

import binascii
import io
import struct
import zlib
from typing import Any

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MOST_BYTES = 20 * 1024 * 1024
"""Longest image that is read, in bytes. Vendors accept up to about as much."""
MOST_PIXELS = 40_000_000
"""Largest image that is unpacked. A photo of a phone has 12 to 50 million; larger ones are only described."""

DAMAGED = (OSError, ValueError, TypeError, LookupError, SyntaxError, EOFError, MemoryError, struct.error, zlib.error)
"""What Pillow raises for an image that is not whole."""


def size_of(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of the image in this base64, from its header; None if it is no image we read."""
    opened = _opened(data)
    return None if opened is None else opened.size


def thumbnail(data: str, pixels: int) -> bytes | None:
    """The image as a PNG of at most so many pixels on either side; None if it is no image we read, or is too large.

    Of an animation it is the first picture.
    """
    from PIL import ImageOps  # on first use, as below

    opened = _opened(data)
    if opened is None or opened.width * opened.height > MOST_PIXELS:
        return None
    try:
        opened.draft("RGB", (pixels, pixels))  # a JPEG is unpacked at a fraction of its size
        opened.thumbnail((pixels, pixels))
        written = io.BytesIO()
        upright = ImageOps.exif_transpose(opened)  # phones store photos lying, and how they were held
        upright.convert("RGBA").save(written, "PNG")
    except DAMAGED:
        return None
    return written.getvalue()


def _opened(data: str) -> Any:
    """A Pillow image whose header was read; None if the base64 holds none."""
    if not data or len(data) > MOST_BYTES * 4 // 3 + 4:
        return None
    try:
        raw = binascii.a2b_base64(data)
    except (binascii.Error, ValueError):
        return None
    from PIL import Image  # on first use: most chats have no image

    try:
        return Image.open(io.BytesIO(raw), formats=FORMATS)
    except (*DAMAGED, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
