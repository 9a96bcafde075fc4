"""The words of made scenes: objects in classes, attributes in categories, settings."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ATTRIBUTES",
    "CARRIED",
    "CATEGORY",
    "LABELS",
    "PEOPLE",
    "SCALE",
    "SETTINGS",
    "Label",
    "article",
]

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "colour": (
        *("red", "blue", "green", "yellow", "white", "black", "brown", "gray", "orange", "pink"),
        "purple",
    ),
    "size": ("tiny", "small", "large", "huge"),
    "material": (
        *("wooden", "metal", "plastic", "ceramic", "leather", "woolen", "wicker", "rubber"),
    ),
    "pattern": ("striped", "dotted", "checkered", "floral", "plaid", "zigzag"),
    "state": ("dirty", "clean", "broken", "wet", "shiny", "rusty"),
    "mood": ("young", "elderly", "sleepy", "smiling", "hungry", "calm"),
}
"""Attributes by category. An object has at most one of a category."""

CATEGORY = {word: name for name, words in ATTRIBUTES.items() for word in words}
"""Attribute -> its category."""

SCALE = {"tiny": 0.55, "small": 0.75, "large": 1.35, "huge": 1.7}
"""What an attribute of size does to the sides of a box."""

_ASPECTS = {
    "person": ("size", "mood"),
    "animal": ("colour", "size", "mood"),
    "mount": ("colour", "size", "mood"),
    "clothing": ("colour", "pattern", "state"),
    "carried": ("colour", "size", "material", "state"),
    "food": ("colour", "size"),
    "furniture": ("colour", "size", "material", "state"),
    "cycle": ("colour", "size", "state"),
    "vehicle": ("colour", "size", "state"),
    "fabric": ("colour", "pattern", "size", "state"),
    "fixture": ("colour", "size", "state"),
    "plant": ("colour", "size"),
}
"""Class of objects -> categories of attributes that fit it."""


@dataclass(frozen=True, slots=True)
class Label:
    """What an object can be: its word, the plural, its class, the usual sides of its box.

    Sides are shares of the picture's width.
    """

    name: str
    plural: str
    group: str
    width: float
    height: float

    @property
    def aspects(self) -> tuple[str, ...]:
        """The categories of attributes that fit it."""
        return _ASPECTS[self.group]


def _labels(group: str, width: float, height: float, names: str) -> tuple[Label, ...]:
    """Read `name` or `name/plural`, separated by commas."""
    found = []
    for item in names.split(","):
        name, _, plural = item.strip().partition("/")
        found.append(Label(name, plural or f"{name}s", group, width, height))
    return tuple(found)


PEOPLE = (
    *_labels("person", 0.13, 0.36, "man/men,woman/women,doctor,farmer,firefighter,musician"),
    *_labels("person", 0.13, 0.36, "nurse,painter,sailor,teacher,waiter,tourist"),
    *_labels("person", 0.10, 0.24, "boy,girl"),
)
"""People occur in every setting."""

CARRIED = (
    *_labels("clothing", 0.07, 0.05, "hat,cap,helmet"),
    *_labels("clothing", 0.11, 0.16, "jacket,coat,vest,apron"),
    *_labels("clothing", 0.05, 0.12, "scarf/scarves,necktie"),
    *_labels("carried", 0.09, 0.10, "backpack,handbag,basket,camera"),
    *_labels("carried", 0.16, 0.14, "umbrella"),
    *_labels("carried", 0.05, 0.07, "telephone,flashlight,mug,newspaper"),
)
"""What people wear and carry: in every setting, never without a person."""

SETTINGS: dict[str, tuple[Label, ...]] = {
    "street": (
        *_labels("vehicle", 0.30, 0.16, "car,taxi"),
        *_labels("vehicle", 0.42, 0.22, "bus/buses,truck"),
        *_labels("cycle", 0.20, 0.14, "bicycle,motorcycle,scooter"),
        *_labels("fixture", 0.07, 0.24, "traffic light,stop sign,street lamp"),
        *_labels("fixture", 0.08, 0.12, "fire hydrant,mailbox/mailboxes"),
    ),
    "kitchen": (
        *_labels("fixture", 0.18, 0.22, "stove,sink"),
        *_labels("fixture", 0.16, 0.36, "refrigerator"),
        *_labels("furniture", 0.34, 0.18, "counter,cupboard"),
        *_labels("furniture", 0.12, 0.18, "stool"),
        *_labels("carried", 0.09, 0.07, "kettle,pan,pot,plate,bowl,teapot"),
    ),
    "living room": (
        *_labels("furniture", 0.36, 0.18, "sofa,bookcase"),
        *_labels("furniture", 0.18, 0.20, "armchair,chair"),
        *_labels("fixture", 0.20, 0.14, "television,mirror"),
        *_labels("fixture", 0.09, 0.11, "clock,vase,lamp"),
        *_labels("fabric", 0.24, 0.10, "carpet,curtain"),
        *_labels("fabric", 0.10, 0.08, "pillow"),
    ),
    "office": (
        *_labels("furniture", 0.34, 0.18, "desk,cabinet"),
        *_labels("furniture", 0.20, 0.22, "office chair"),
        *_labels("fixture", 0.16, 0.13, "computer,printer,monitor,whiteboard"),
        *_labels("carried", 0.12, 0.05, "keyboard,notebook,folder,laptop"),
        *_labels("carried", 0.05, 0.04, "stapler"),
    ),
    "farm": (
        *_labels("mount", 0.28, 0.24, "horse,donkey"),
        *_labels("animal", 0.24, 0.18, "cow,goat,pig"),
        *_labels("animal", 0.08, 0.08, "hen"),
        *_labels("vehicle", 0.32, 0.24, "tractor,wagon"),
        *_labels("fixture", 0.46, 0.32, "barn"),
        *_labels("fixture", 0.38, 0.12, "fence"),
        *_labels("furniture", 0.16, 0.11, "hay bale"),
        *_labels("carried", 0.08, 0.09, "bucket"),
    ),
    "beach": (
        *_labels("vehicle", 0.34, 0.16, "boat,canoe"),
        *_labels("fixture", 0.12, 0.44, "lighthouse"),
        *_labels("fixture", 0.26, 0.26, "parasol"),
        *_labels("fixture", 0.14, 0.10, "sandcastle"),
        *_labels("fabric", 0.22, 0.07, "towel"),
        *_labels("carried", 0.10, 0.10, "beach ball,kite,surfboard"),
        *_labels("furniture", 0.18, 0.16, "deckchair"),
        *_labels("animal", 0.07, 0.06, "crab,seagull"),
    ),
    "park": (
        *_labels("animal", 0.15, 0.12, "dog,cat"),
        *_labels("animal", 0.07, 0.07, "squirrel,pigeon,duck"),
        *_labels("fixture", 0.26, 0.26, "fountain,statue"),
        *_labels("furniture", 0.24, 0.12, "bench/benches,swing"),
        *_labels("plant", 0.26, 0.48, "tree"),
        *_labels("plant", 0.16, 0.14, "bush/bushes,flower bed"),
    ),
    "zoo": (
        *_labels("mount", 0.34, 0.32, "elephant,camel"),
        *_labels("animal", 0.22, 0.48, "giraffe"),
        *_labels("animal", 0.26, 0.20, "zebra,lion,tiger,bear"),
        *_labels("animal", 0.12, 0.13, "monkey,penguin,parrot"),
        *_labels("fixture", 0.40, 0.36, "cage"),
        *_labels("furniture", 0.26, 0.08, "feeding trough"),
    ),
    "market": (
        *_labels("food", 0.06, 0.06, "apple,banana,carrot,tomato/tomatoes"),
        *_labels("food", 0.11, 0.10, "cabbage,pumpkin,melon,cake"),
        *_labels("fixture", 0.40, 0.34, "market stall"),
        *_labels("fixture", 0.10, 0.12, "scale"),
        *_labels("furniture", 0.16, 0.12, "crate"),
        *_labels("vehicle", 0.26, 0.18, "handcart"),
    ),
    "workshop": (
        *_labels("carried", 0.09, 0.06, "hammer,saw,drill,wrench/wrenches,paintbrush/paintbrushes"),
        *_labels("carried", 0.14, 0.09, "toolbox/toolboxes"),
        *_labels("furniture", 0.36, 0.18, "workbench/workbenches,shelf/shelves"),
        *_labels("furniture", 0.10, 0.40, "ladder"),
        *_labels("fixture", 0.12, 0.16, "barrel,vise"),
        *_labels("vehicle", 0.18, 0.14, "wheelbarrow"),
    ),
}
"""Setting -> what only it holds: no label stands in two settings."""

LABELS: dict[str, Label] = {
    label.name: label
    for label in (*PEOPLE, *CARRIED, *(x for pool in SETTINGS.values() for x in pool))
}
"""Every label by its word."""


def article(word: str) -> str:
    """Return the indefinite article in front of a word.

    >>> article("orange"), article("zebra")
    ('an', 'a')
    """
    return "an" if word[0] in "aeiou" else "a"
