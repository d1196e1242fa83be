"""Makes pictures for the displays of doors: from other pictures, and from text.

All of it takes its time and belongs in an executor.
"""

from functools import lru_cache
import io
from pathlib import Path
import re
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from .picture import MAX_BYTES, Size, unreadable

MAX_PIXELS = 50_000_000

# What browsers show, too. Some of the others are given to programs of their own.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "WEBP")

# BIZ UDPGothic is made to be read easily, and has the scripts of all our languages.
_FONT = Path(__file__).parent / "fonts" / "BIZUDPGothic-Bold.ttf"

MAX_CHARACTERS = 1000
"""Of a text; more than this cannot be read at a door."""

_MARGIN = 14
_SIZES = range(46, 15, -2)
"""Heights of the letters in pixels, from what is read across a street to what is still
read at the door."""

_BACKGROUND = "#11161c"
_TITLE_COLOUR = "#8fd3bf"
_TEXT_COLOUR = "#ffffff"

ELLIPSIS = "…"


def fit_picture(content: bytes, size: Size) -> bytes:
    """Return a picture as PNG, as large as fits, in the middle, and undistorted.

    Raises:
        HomeAssistantError: it is no picture, or an absurdly large one.

    """
    if len(content) > MAX_BYTES:
        raise unreadable()
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise unreadable()
            picture.draft("RGB", size)
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        RuntimeError,
        SyntaxError,
        ValueError,
    ) as err:
        raise unreadable() from err
    scale = min(size[0] / upright.width, size[1] / upright.height)
    # A line remains a line, however thin it would be.
    fitting = upright.resize(
        (max(1, round(upright.width * scale)), max(1, round(upright.height * scale))),
        Image.Resampling.LANCZOS,
    )
    canvas = Image.new("RGB", size, "black")
    canvas.paste(
        fitting,
        ((size[0] - fitting.width) // 2, (size[1] - fitting.height) // 2),
        fitting,
    )
    return _png(canvas)


def draw_text(message: str, title: str | None, size: Size) -> bytes:
    """Return a text as PNG, as large as fits; what does not fit ends in an ellipsis."""
    width, height = (length - 2 * _MARGIN for length in size)
    heading, text = (
        _drawable(part or "", _font(_SIZES[0])) for part in (title, message)
    )
    words = _PIECE.findall(f"{heading}\n{text}")

    def lay_out(font: ImageFont.FreeTypeFont) -> _Layout:
        title, message = (_wrap(part, font, width, height) for part in (heading, text))
        return _Layout(font, title, message)

    largest: _Layout | None = None
    for font in map(_font, _SIZES):
        layout = lay_out(font)
        if layout.height > height:
            continue
        # Smaller letters are easier to read than broken words.
        if all(font.getlength(word) <= width for word in words):
            return _png(_drawn(layout, size))
        largest = largest or layout
    return _png(_drawn(largest or lay_out(_font(_SIZES[-1])).cut(width, height), size))


class _Layout(NamedTuple):
    """Text in lines."""

    font: ImageFont.FreeTypeFont
    title: list[str]
    message: list[str]

    @property
    def line_height(self) -> int:
        """Return the pixels from one line to the next."""
        return _line_height(self.font)

    @property
    def gap(self) -> int:
        """Return the pixels between title and message, where there are both."""
        return round(self.font.size * 0.5) if self.title and self.message else 0

    @property
    def height(self) -> int:
        """Return the pixels of all."""
        return self.line_height * (len(self.title) + len(self.message)) + self.gap

    def cut(self, width: int, height: int) -> _Layout:
        """Return as many lines as fit, of which the last one says that more came."""
        # A title may not take all the room from what it is the title of.
        room = height // self.line_height
        title = _shortened(
            self.title, max(1, room // 2) if self.message else room, self.font, width
        )
        cut = self._replace(title=title)
        room = (height - cut.gap) // self.line_height - len(title)
        return cut._replace(message=_shortened(self.message, room, self.font, width))


def _shortened(
    lines: list[str], room: int, font: ImageFont.FreeTypeFont, width: int
) -> list[str]:
    """Return the lines that there is room for, the last with an ellipsis."""
    if len(lines) <= room:
        return lines
    last = lines[room - 1].rstrip()
    while last and font.getlength(last + ELLIPSIS) > width:
        last = last[:-1].rstrip()
    return [*lines[: room - 1], last + ELLIPSIS]


def _drawn(layout: _Layout, size: Size) -> Image.Image:
    """Return the picture of a text, in the middle."""
    canvas = Image.new("RGB", size, _BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    top = (size[1] - layout.height) / 2
    lines = [(line, _TITLE_COLOUR) for line in layout.title]
    lines += [(line, _TEXT_COLOUR) for line in layout.message]
    for number, (line, colour) in enumerate(lines):
        gap = layout.gap if number >= len(layout.title) else 0
        middle = top + gap + layout.line_height * (number + 0.5)
        draw.text(
            (size[0] / 2, middle), line, font=layout.font, fill=colour, anchor="mm"
        )
    return canvas


# Scripts that are written without blanks break between any two characters, but a line
# does not begin with a closing sign, nor end with an opening one.
_WIDE = r"\u2e80-\u2fdf\u3040-\u9fff\uf900-\ufaff\uff66-\uff9f\uff10-\uff5a"
_OPENING = r"「『（【［〈《([{«„"
_CLOSING = r"、。，．・：；？！」』）】］〉》ーぁぃぅぇぉっゃゅょァィゥェォッャュョ…)\]},.!?:;»"
_PIECE = re.compile(
    rf"\s+|[{_OPENING}]*[{_WIDE}][{_CLOSING}]*|[^\s{_WIDE}]+", re.VERBOSE
)


def _line_height(font: ImageFont.FreeTypeFont) -> int:
    """Return the pixels from one line to the next."""
    return round(font.size * 1.3)


def _wrap(
    text: str, font: ImageFont.FreeTypeFont, width: int, height: int
) -> list[str]:
    """Return a text in lines of at most `width` pixels, until there is no more room."""
    lines: list[str] = []
    room = height // _line_height(font)
    for paragraph in text.split("\n") if text else ():
        line = ""
        for piece in _PIECE.findall(paragraph):
            if len(lines) > room:
                return lines
            if font.getlength((line + piece).rstrip()) <= width:
                line += piece
                continue
            if line.strip():
                lines.append(line.rstrip())
            line = ""
            # A word that is wider than a line is broken where the line ends.
            for character in piece.lstrip():
                if line and font.getlength(line + character) > width:
                    lines.append(line)
                    line = ""
                    if len(lines) > room:
                        return lines
                line += character
        lines.append(line.rstrip())
    return lines


def _drawable(text: str, font: ImageFont.FreeTypeFont) -> str:
    """Return a text without what the font cannot draw, such as emoji."""
    text = text.strip()[:MAX_CHARACTERS].replace("\r\n", "\n").expandtabs(2)
    missing = _shape(font, "\uffff")
    known = {
        character
        for character in set(text)
        if character in "\n \u3000"
        or (character.isprintable() and _shape(font, character) != missing)
    }
    return "".join(character for character in text if character in known).strip()


def _shape(font: ImageFont.FreeTypeFont, character: str) -> tuple[Size, bytes]:
    """Return what a character looks like; those that are missing all look the same."""
    mask = font.getmask(character)
    return mask.size, bytes(mask)


@lru_cache(maxsize=len(_SIZES))
def _font(pixels: int) -> ImageFont.FreeTypeFont:
    """Return the font; drawn in the same way whichever libraries are installed."""
    return ImageFont.truetype(str(_FONT), pixels, layout_engine=ImageFont.Layout.BASIC)


def _png(canvas: Image.Image) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    canvas.save(file, "PNG", optimize=True)
    return file.getvalue()
