"""What SenseLink's cameras see: figures of plain colour, nobody's face."""

from colorsys import hsv_to_rgb
import io

from PIL import Image, ImageDraw

WALL = (226, 221, 210)
DOOR = (112, 90, 74)
SKIN = (214, 176, 146)
MASK = (176, 214, 232)

# Spreads people with numbers in a row over the colour wheel.
GOLDEN = 0.618034


def draw_portrait(who: int, *, masked: bool = False) -> bytes:
    """Return a JPEG of somebody's head and shoulders.

    Args:
        who: Number of the person, which chooses the colours.
        masked: Whether the person wears a mask.
    """
    image = Image.new("RGB", (240, 300), WALL)
    _draw_figure(ImageDraw.Draw(image), (120, 130), 62, who, masked)
    return _encode(image)


def draw_scene(who: int, *, masked: bool = False) -> bytes:
    """Return a JPEG of somebody before a door; for the arguments see `draw_portrait`."""
    image = Image.new("RGB", (640, 480), WALL)
    draw = ImageDraw.Draw(image)
    draw.rectangle((380, 60, 580, 480), DOOR)
    draw.ellipse((400, 270, 424, 294), WALL)
    _draw_figure(draw, (240, 220), 54, who, masked)
    return _encode(image)


def _draw_figure(
    draw: ImageDraw.ImageDraw,
    centre: tuple[int, int],
    radius: int,
    who: int,
    masked: bool,
) -> None:
    """Draw a head around a point, and what is below it."""
    x, y = centre
    red, green, blue = hsv_to_rgb(who * GOLDEN % 1, 0.55, 0.7)
    coat = (round(red * 255), round(green * 255), round(blue * 255))
    draw.rounded_rectangle(
        (x - 2 * radius, y + radius, x + 2 * radius, y + 9 * radius), radius, coat
    )
    draw.ellipse((x - radius, y - 1.25 * radius, x + radius, y + 1.25 * radius), SKIN)
    if masked:
        draw.rounded_rectangle(
            (x - 0.8 * radius, y, x + 0.8 * radius, y + radius), radius // 3, MASK
        )


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()
