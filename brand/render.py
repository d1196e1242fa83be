#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.12"
# dependencies = ["pillow", "resvg-py"]
# ///
"""Render the images that Home Assistant shows for Gatehouse from their SVG sources.

Run `uv run brand/render.py` after a change to `icon.svg` or `logo.svg`.
"""

from io import BytesIO
from pathlib import Path

from PIL import Image
import resvg_py

SOURCES = Path(__file__).parent
TARGET = SOURCES.parent / "custom_components" / "gatehouse" / "brand"

# Pixels of the height; an icon is as wide as it is high.
HEIGHTS = {"icon": 256, "logo": 192}

INK = "#1f3440"
"""The colour of the walls on a light ground, as in the sources."""

INK_ON_DARK = "#f3efe6"


def render(svg: str, height: int) -> Image.Image:
    """Return a drawing as a transparent image, cut to what it shows."""
    image = Image.open(BytesIO(resvg_py.svg_to_bytes(svg_string=svg, height=height)))
    return image.crop(image.getbbox())


def main() -> None:
    """Write all eight files."""
    TARGET.mkdir(exist_ok=True)
    for name, height in HEIGHTS.items():
        svg = (SOURCES / f"{name}.svg").read_text(encoding="utf-8")
        for prefix, drawing in (("", svg), ("dark_", svg.replace(INK, INK_ON_DARK))):
            for suffix, scale in (("", 1), ("@2x", 2)):
                image = render(drawing, height * scale)
                image.save(TARGET / f"{prefix}{name}{suffix}.png", optimize=True)


if __name__ == "__main__":
    main()
