"""A scene as a picture: a shape for every object, its words on it, arrows for drawn relations."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from graphenv.envs.scenes.sources.synthetic.layout import height_of
from graphenv.envs.scenes.sources.synthetic.relations import DRAWN
from graphenv.envs.scenes.sources.synthetic.vocabulary import CATEGORY, LABELS
from graphenv.errors import ConfigError
from graphenv.scenes import Scene, SceneObject

if TYPE_CHECKING:
    from PIL import ImageDraw

__all__ = ["draw"]

_COLOURS = {
    "red": "#d62828", "blue": "#3a6fd8", "green": "#3d9b46", "yellow": "#f2d024",
    "white": "#ffffff", "black": "#2b2b2b", "brown": "#8a5a33", "gray": "#8d8d8d",
    "orange": "#f28c28", "pink": "#f4a6c0", "purple": "#7b4fa3",
}  # fmt: skip
_UNTOLD, _GROUND, _INK = "#cfd8dc", "#f7f4ec", "#111111"
_LOW = 26
_ROUND = ("food", "plant")
_LIVING = ("person", "animal", "mount")


def draw(scene: Scene, width: int) -> bytes:
    """Return a picture of a scene as the bytes of a PNG file, the same for the same scene.

    Larger objects lie behind. A colour fills the shape (gray-blue if none is told), a pattern is
    drawn on it; the label and the other attributes stand on it in words; relations that no box
    decides are arrows with their name. So everything that the scene tells can be seen, and with it
    what boxes decide and the scene does not tell.

    Parameters
    ----------
    scene
        Its objects have boxes within the picture.
    width
        In pixels; the picture is three quarters as high.

    Raises
    ------
    ConfigError
        If Pillow is missing, or an object has no box.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise ConfigError(
            'pictures of scenes need Pillow: pip install "graphenv[vision]"'
        ) from error
    if not scene.has_boxes:
        raise ConfigError("picture: every object of the scene needs a box")
    image = Image.new("RGB", (width, height_of(width)), _GROUND)
    canvas = ImageDraw.Draw(image)
    canvas.fontmode = "1"
    font = ImageFont.load_default_imagefont()
    for thing in sorted(scene.objects, key=_area, reverse=True):
        _shape(canvas, thing)
    taken: list[tuple[int, int, int, int]] = []
    for relation in scene.relations:
        if relation.relation in DRAWN:
            start, end = (_middle(scene.objects[at]) for at in (relation.head, relation.tail))
            _arrow(canvas, start, end)
            middle = ((2 * start[0] + end[0]) // 3, (2 * start[1] + end[1]) // 3)
            _write(canvas, relation.relation, middle, font, image.size, taken, _COLOURS["red"])
    for thing in sorted(scene.objects, key=_area):
        words = [a for a in thing.attributes if CATEGORY.get(a) != "colour"]
        x, y = _middle(thing)
        _, top, _, bottom = _corners(thing)
        if bottom - top < _LOW:  # words on it would hide it
            y = bottom + 8
        _write(canvas, " ".join([*words, thing.label]), (x, y), font, image.size, taken)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _area(thing: SceneObject) -> float:
    left, top, right, bottom = thing.box or (0, 0, 0, 0)
    return (right - left) * (bottom - top)


def _corners(thing: SceneObject) -> tuple[int, int, int, int]:
    left, top, right, bottom = map(round, thing.box or (0, 0, 0, 0))
    return left, top, right - 1, bottom - 1  # Pillow draws the last pixel too


def _middle(thing: SceneObject) -> tuple[int, int]:
    left, top, right, bottom = _corners(thing)
    return (left + right) // 2, (top + bottom) // 2


def _shape(canvas: ImageDraw.ImageDraw, thing: SceneObject) -> None:
    fill = next((_COLOURS[a] for a in thing.attributes if a in _COLOURS), _UNTOLD)
    left, top, right, bottom = _corners(thing)
    group = LABELS[thing.label].group if thing.label in LABELS else "fixture"
    if group in _ROUND:
        canvas.ellipse((left, top, right, bottom), fill, _INK)
    elif group in _LIVING:
        neck = top + (bottom - top) // 3
        side = (right - left) // 4
        canvas.rounded_rectangle((left, neck, right, bottom), max(1, side), fill, _INK)
        canvas.ellipse((left + side, top, right - side, neck), fill, _INK)
    elif group in ("vehicle", "cycle"):
        wheel = max(1, (bottom - top) // 4)
        canvas.rectangle((left, top, right, bottom - wheel), fill, _INK)
        for x in (left, right - 2 * wheel):
            if x + 2 * wheel > x and right - left > 2 * wheel:
                canvas.ellipse((x, bottom - 2 * wheel, x + 2 * wheel, bottom), _INK, _INK)
    else:
        canvas.rectangle((left, top, right, bottom), fill, _INK)
    for pattern in thing.attributes:
        if CATEGORY.get(pattern) == "pattern":
            _pattern(canvas, pattern, (left, top, right, bottom))


def _pattern(canvas: ImageDraw.ImageDraw, pattern: str, corners: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = corners
    if pattern in ("striped", "checkered", "plaid"):
        for x in range(left + 4, right, 6):
            canvas.line((x, top, x, bottom), _INK)
    if pattern in ("checkered", "plaid"):
        for y in range(top + 4, bottom, 6 if pattern == "checkered" else 3):
            canvas.line((left, y, right, y), _INK)
    if pattern in ("dotted", "floral"):
        reach = 1 if pattern == "dotted" else 2
        for x in range(left + 4, right - 2, 8):
            for y in range(top + 4, bottom - 2, 8):
                canvas.ellipse((x - reach, y - reach, x + reach, y + reach), None, _INK)
    if pattern == "zigzag":
        for y in range(top + 4, bottom - 4, 8):
            points = [(x, y + 3 * (at % 2)) for at, x in enumerate(range(left + 1, right, 4))]
            if len(points) > 1:
                canvas.line(points, _INK)


def _arrow(canvas: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int]) -> None:
    canvas.line((*start, *end), _COLOURS["red"], 2)
    canvas.ellipse((end[0] - 4, end[1] - 4, end[0] + 4, end[1] + 4), _COLOURS["red"])


def _write(
    canvas: ImageDraw.ImageDraw,
    text: str,
    middle: tuple[int, int],
    font: Any,
    size: tuple[int, int],
    taken: list[tuple[int, int, int, int]],
    ink: str = _INK,
) -> None:
    """Write on a light ground as near to `middle` as is free."""
    left, top, right, bottom = map(round, canvas.textbbox((0, 0), text, font))
    wide, high = right - left + 2, bottom - top + 2
    x = min(max(middle[0] - wide // 2, 0), max(size[0] - wide, 0))
    lines = size[1] // high
    best = None
    for turn in range(2 * lines):
        y = middle[1] - high // 2 + (turn + 1) // 2 * high * (1 if turn % 2 else -1)
        spot = (x, y, x + wide, y + high)
        if 0 <= y <= size[1] - high and not any(_meet(spot, other) for other in taken):
            best = spot
            break
    if best is None:
        y = min(max(middle[1] - high // 2, 0), size[1] - high)
        best = (x, y, x + wide, y + high)
    taken.append(best)
    canvas.rectangle(best, _GROUND)
    canvas.text((best[0] + 1 - left, best[1] + 1 - top), text, ink, font)


def _meet(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
