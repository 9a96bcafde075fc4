"""The tables of the made networks: types, relations and how they are said, traits, numbers."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FEATURES", "RELATIONS", "TRAITS", "TYPES", "Relation"]

TYPES = {
    "enzyme": 0.26, "compound": 0.28, "strain": 0.16, "tissue": 0.1, "pathway": 0.1, "lab": 0.1,
}  # fmt: skip
"""Types of entities and their shares."""

FEATURES = {"size": (10, 999, 1), "age": (1, 400, 1), "score": (0, 100, 100)}
"""Numbers of an entity: smallest and largest, in units of 1 / the third."""

TRAITS = (
    *("amber", "brittle", "coastal", "dense", "elusive", "fragile", "glossy", "hardy", "inert"),
    *("jagged", "knotted", "lucid", "mellow", "noisy", "opaque", "porous", "quiet", "robust"),
    *("sparse", "tepid", "uneven", "volatile", "waxy", "yellowish"),
)
"""Words of descriptions; an entity has two of them."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation from one type to another, and how both directions are said."""

    name: str
    head: str
    tail: str
    forth: str
    back: str


def _r(name: str, types: str, forth: str, back: str) -> Relation:
    head, _, tail = types.partition(" ")
    return Relation(name, head, tail, forth, back)


# The first rows make a network by themselves: `relations=` takes rows from the top.
RELATIONS: tuple[Relation, ...] = (
    _r("phosphorylates", "enzyme enzyme", "phosphorylates", "is phosphorylated by"),
    _r("inhibits", "compound enzyme", "inhibits", "is inhibited by"),
    _r("degrades", "enzyme compound", "degrades", "is degraded by"),
    _r("derived_from", "compound compound", "is derived from", "is the source of"),
    _r("carries", "strain enzyme", "carries", "is carried by"),
    _r("poisons", "compound strain", "poisons", "is poisoned by"),
    _r("expressed_in", "enzyme tissue", "is expressed in", "expresses"),
    _r("infects", "strain tissue", "infects", "is infected by"),
    _r("acts_in", "enzyme pathway", "acts in", "depends on"),
    _r("feeds", "compound pathway", "feeds", "is fed by"),
    _r("studied_by", "enzyme lab", "is studied by", "studies"),
    _r("patented_by", "compound lab", "is patented by", "holds a patent on"),
    _r("activates", "compound enzyme", "activates", "is activated by"),
    _r("forms_complex_with", "enzyme enzyme", "forms a complex led by", "leads a complex with"),
    _r("cleaves", "enzyme enzyme", "cleaves", "is cleaved by"),
    _r("reacts_with", "compound compound", "reacts on", "is changed by"),
    _r("silenced_in", "enzyme tissue", "is silenced in", "silences"),
    _r("accumulates_in", "compound tissue", "accumulates in", "stores up"),
    _r("damages", "compound tissue", "damages", "is damaged by"),
    _r("produced_by", "compound strain", "is produced by", "produces"),
    _r("lacks", "strain enzyme", "lacks", "is missing in"),
    _r("colonises", "strain tissue", "colonises", "is colonised by"),
    _r("descends_from", "strain strain", "descends from", "is an ancestor of"),
    _r("displaces", "strain strain", "displaces", "is displaced by"),
    _r("limits", "enzyme pathway", "limits", "is limited by"),
    _r("blocks", "compound pathway", "blocks", "is blocked by"),
    _r("switches_on", "strain pathway", "switches on", "is switched on by"),
    _r("active_in", "pathway tissue", "is active in", "hosts"),
    _r("precedes", "pathway pathway", "precedes", "is preceded by"),
    _r("cultured_by", "strain lab", "is cultured by", "cultures"),
    _r("supplies", "lab lab", "supplies", "is supplied by"),
    _r("maps", "lab pathway", "maps", "is mapped by"),
    _r("samples", "lab tissue", "samples", "is sampled by"),
    _r("borders", "tissue tissue", "borders", "is bordered by"),
)
