"""The tables of the synthetic world: types, relations with their words, distractor relations.

A phrase is written `noun|rest`: "films|directed by" reads "the films directed by ...", and leaves
room for a filter behind the noun ("the films released before 1990 directed by ..."). No phrase
holds the word "the" inside, so that every "the" of a question begins a phrase and a question can be
read back in one way only (tested).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DISTRACTORS", "RELATIONS", "SHARES", "SMALL", "VALUES", "Relation", "Words"]

SHARES = {
    "person": 0.32, "film": 0.15, "book": 0.09, "city": 0.09, "company": 0.09, "song": 0.08,
    "band": 0.05, "university": 0.04, "team": 0.04, "painting": 0.05,
}  # fmt: skip
"""Types that make up the world, and their shares of the named entities."""

SMALL = {
    "country": 36, "genre": 24, "language": 32, "award": 40, "style": 20, "sport": 14,
    "currency": 14, "museum": 36,
}  # fmt: skip
"""Closed types and their sizes in a world of 2,400 entities (they grow with its square root)."""

VALUES = ("year", "number")
"""Types whose entities are numbers."""


@dataclass(frozen=True, slots=True)
class Words:
    """How one direction of a relation is worded: two noun phrases and one question opening."""

    phrases: tuple[str, str]
    ask: str


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of the world.

    `fan` is the smallest and largest number of tails of a head; `back` is `None` where the way back
    is never asked. `less` and `more` word a filter on a numeric relation, `span` is its values.
    """

    name: str
    head: str
    tail: str
    fan: tuple[int, int]
    forth: Words
    back: Words | None
    less: str = ""
    more: str = ""
    span: tuple[int, int] = (0, 0)

    @property
    def numeric(self) -> bool:
        """Whether its tails are numbers."""
        return self.tail in VALUES


ONE, MAYBE, TWO, FEW, ANY = (1, 1), (0, 2), (1, 2), (1, 4), (0, 3)


def _r(name: str, types: str, fan: tuple[int, int], forth: str, back: str) -> Relation:
    head, tail = types.split(" ")
    a, b, ask = forth.split("; ")
    c, d, back_ask = back.split("; ")
    return Relation(name, head, tail, fan, Words((a, b), ask), Words((c, d), back_ask))


def _year(
    name: str, head: str, span: tuple[int, int], verb: str, forth: str, back: str
) -> Relation:
    a, b, ask = forth.split("; ")
    c, d, back_ask = back.split("; ")
    words = Words((a, b), ask), Words((c, d), back_ask)
    return Relation(
        name, head, "year", ONE, *words, less=f"{verb} before", more=f"{verb} after", span=span
    )


def _number(name: str, head: str, span: tuple[int, int], unit: str, forth: str) -> Relation:
    a, b, ask = forth.split("; ")
    return Relation(
        name, head, "number", ONE, Words((a, b), ask), None,
        less=f"with fewer {unit} than", more=f"with more {unit} than", span=span,
    )  # fmt: skip


# The first rows make a full world by themselves: `relations=` takes rows from the top.
RELATIONS: tuple[Relation, ...] = (
    _r("directed_by", "film person", ONE, "directors|of; people|who directed; who directed",
       "films|directed by; films|made under; which films were directed by"),
    _r("starred_actors", "film person", FEW, "actors|in; performers|who starred in; who acted in",
       "films|starring; films|with roles for; which films star"),
    _r("has_genre", "film genre", TWO, "genres|of; kinds of story|told by; which genres have",
       "films|that belong to; films|filed under; which films belong to"),
    _year("release_year", "film", (1930, 2020), "released",
          "release years|of; years|that saw premieres of; in which years came out",
          "films|released in; films|that came out in; which films were released in"),
    _r("born_in", "person city", ONE, "birthplaces|of; native cities|of; which cities saw birth of",
       "people|born in; natives|of; who was born in"),
    _r("located_in", "city country", ONE,
       "countries|that contain; nations|around; which countries contain",
       "cities|in; towns|inside; which cities lie in"),
    _r("produced_by", "film company", ONE,
       "studios|behind; companies|that produced; which companies produced",
       "films|produced by; films|paid for by; which films were produced by"),
    _r("authored_by", "book person", ONE, "authors|of; novelists|credited with; who is author of",
       "books|by; novels|authored by; which books were authored by"),
    _year("birth_year", "person", (1900, 2000), "born",
          "birth years|of; years|of birth of; in which years were born",
          "people|born during; people|who came to life in; who was born during"),
    _r("headquartered_in", "company city", ONE,
       "head office cities|of; cities|with headquarters of; which cities host headquarters of",
       "companies|based in; firms|headquartered in; which companies are based in"),
    _r("founded_by", "company person", TWO,
       "founders|of; entrepreneurs|who started; who founded",
       "companies|founded by; startups|of; which companies were founded by"),
    _number("population", "city", (8, 9000), "inhabitants",
            "population figures|of; headcounts|of; what population have"),
    _r("studied_at", "person university", TWO,
       "universities|attended by; schools|that taught; which universities were attended by",
       "alumni|of; graduates|of; who studied at"),
    _r("won_award", "person award", ANY,
       "awards|won by; prizes|given to; which awards were won by",
       "winners|of; people|honoured with; who won"),
    _r("published_by", "book company", ONE,
       "publishers|of; publishing houses|behind; which publishers printed",
       "books|published by; titles|printed by; which books were published by"),
    _r("performed_by", "song band", ONE,
       "bands|that recorded; groups|heard on; which bands recorded",
       "songs|recorded by; tracks|of; which songs were recorded by"),
    _r("member_of", "person band", MAYBE,
       "bands|joined by; groups|that include; which bands were joined by",
       "members|of; musicians|in; who plays in"),
    _r("speaks", "person language", TWO,
       "mother tongues|of; languages|mastered by; which languages are mastered by",
       "speakers|of; people|fluent in; who speaks"),
    _r("official_language", "country language", TWO,
       "official languages|of; languages|recognised by; which languages are official in",
       "countries|that recognise; nations|with official use of; which countries recognise"),
    _r("written_by", "film person", TWO,
       "screenwriters|of; people|who scripted; who wrote scripts of",
       "films|written by; films|scripted by; which films were written by"),
    _r("filmed_in", "film city", TWO,
       "filming places|of; cities|used as sets for; which cities were used to film",
       "films|shot in; films|filmed on streets of; which films were shot in"),
    _r("set_in", "book country", ONE,
       "settings|of; countries|that serve as scene for; which countries are settings of",
       "books|set in; stories|that take place in; which books are set in"),
    _r("composed_by", "song person", ONE, "composers|of; musicians|who composed; who composed",
       "songs|composed by; tunes|of; which songs were composed by"),
    _r("featured_in", "song film", MAYBE,
       "films|that feature; movies|with music from; which films feature",
       "songs|featured in; soundtrack pieces|of; which songs are featured in"),
    _year("publication_year", "book", (1880, 2020), "published",
          "publication years|of; years|that brought readers; in which years were published",
          "books|published in; books|first printed in; which books were published in"),
    _r("based_on", "film book", MAYBE,
       "source novels|of; books|adapted into; which books were adapted into",
       "adaptations|of; films|based on; which films are based on"),
    _r("works_for", "person company", MAYBE,
       "employers|of; companies|that employ; which companies employ",
       "employees|of; people|employed by; who works for"),
    _r("plays_for", "person team", MAYBE,
       "teams|that field; clubs|joined by; which teams field",
       "players|of; athletes|on squads of; who plays for"),
    _r("home_city", "team city", ONE,
       "home cities|of; cities|that cheer for; which cities are home to",
       "teams|from; clubs|at home in; which teams come from"),
    _r("campus_in", "university city", ONE,
       "campus cities|of; cities|with campuses of; which cities have campuses of",
       "universities|located in; colleges|of; which universities are located in"),
    _r("mentored_by", "person person", MAYBE, "mentors|of; guides|who trained; who mentored",
       "pupils|of; people|mentored by; who was mentored by"),
    _year("founding_year", "company", (1880, 2015), "founded",
          "founding years|of; years|that saw creation of; in which years were founded",
          "companies|founded in; companies|that date from; which companies were founded in"),
    _r("formed_in", "band city", ONE,
       "home towns|of; cities|that gave rise to; which cities gave rise to",
       "bands|formed in; groups|that come from; which bands were formed in"),
    _r("painted_by", "painting person", ONE, "painters|of; artists|who painted; who painted",
       "paintings|by; canvases|of; which paintings were painted by"),
    _r("has_capital", "country city", ONE,
       "capitals|of; seats of government|of; which cities are capitals of",
       "countries|governed from; countries|ruled out of; which countries have as capital"),
    _r("plays_style", "band style", TWO,
       "musical styles|of; styles|played by; which styles are played by",
       "bands|playing; groups|known for; which bands play"),
    # From here on only larger worlds.
    _r("displayed_in", "painting museum", ONE,
       "museums|that show; galleries|with; which museums show",
       "paintings|shown in; artworks|on walls of; which paintings hang in"),
    _r("museum_city", "museum city", ONE,
       "museum cities|of; cities|that house; which cities house",
       "museums|in; galleries|open to visitors of; which museums stand in"),
    _r("plays_sport", "team sport", ONE,
       "sports|of; disciplines|practised by; which sports are practised by",
       "teams|that practise; clubs|devoted to; which teams practise"),
    _r("coached_by", "team person", ONE, "coaches|of; trainers|in charge of; who coaches",
       "teams|coached by; clubs|trained by; which teams are coached by"),
    _r("sponsored_by", "team company", TWO,
       "sponsors|of; brands|on shirts of; which companies sponsor",
       "teams|sponsored by; clubs|that advertise; which teams are sponsored by"),
    _r("led_by", "company person", ONE, "chief executives|of; managers|at top of; who runs",
       "companies|led by; businesses|run by; which companies are led by"),
    _r("owned_by", "company company", MAYBE,
       "parent companies|of; owners|of; which companies own",
       "subsidiaries|of; companies|owned by; which companies belong to"),
    _r("signed_to", "band company", ONE,
       "record labels|of; labels|that signed; which labels signed",
       "bands|signed to; acts|under contract with; which bands are signed to"),
    _r("rector", "university person", ONE, "rectors|of; academics|who head; who is rector of",
       "universities|headed by; universities|guided by; which universities are headed by"),
    _r("mayor", "city person", ONE, "mayors|of; politicians|who govern; who governs",
       "cities|governed by; towns|run by; which cities are governed by"),
    _r("head_of_state", "country person", ONE,
       "heads of state|of; leaders|who preside over; who presides over",
       "countries|led by; nations|presided over by; which countries are led by"),
    _r("exports_to", "country country", TWO,
       "export markets|of; countries|that buy goods from; which countries buy goods from",
       "exporters|to; countries|that sell goods to; which countries sell goods to"),
    _r("uses_currency", "country currency", ONE,
       "currencies|of; coins|accepted in; which currencies are used in",
       "countries|that pay with; nations|with banknotes in; which countries pay with"),
    _r("national_sport", "country sport", ONE,
       "national sports|of; sports|dear to; which sports are dear to",
       "countries|fond of; nations|devoted to; which countries are fond of"),
    _r("edited_by", "film person", ONE, "editors|of; people|who cut; who edited",
       "films|edited by; films|cut by; which films were edited by"),
    _r("spoken_in", "film language", ONE,
       "languages|spoken in; tongues|heard in; which languages are spoken in",
       "films|with dialogue in; films|that speak; which films have dialogue in"),
    _r("translated_by", "book person", MAYBE,
       "translators|of; linguists|who translated; who translated",
       "books|translated by; novels|put into other words by; which books were translated by"),
    _year("formation_year", "band", (1950, 2020), "formed",
          "formation years|of; years|that brought together; in which years were formed",
          "bands|formed during; bands|that began in; which bands began in"),
    _year("recording_year", "song", (1950, 2020), "recorded",
          "recording years|of; years|on labels of; in which years were recorded",
          "songs|recorded in; tracks|taped in; which songs were recorded in"),
    _year("painting_year", "painting", (1800, 2000), "finished",
          "painting years|of; dates|below; in which years were finished",
          "paintings|finished in; canvases|from; which paintings were finished in"),
    _year("established_year", "university", (1700, 1990), "established",
          "opening years|of; years|that opened doors of; in which years were established",
          "universities|established in; colleges|that opened in; which universities opened in"),
    _number("students", "university", (3, 90), "students",
            "student numbers|of; enrolment figures|of; what enrolment have"),
    _number("stadium_seats", "team", (3, 90), "seats",
            "stadium sizes|of; seat numbers|of; what stadium size have"),
    _r("funded_by", "award company", ONE, "backers|of; companies|that fund; which companies fund",
       "awards|funded by; prizes|paid for by; which awards are funded by"),
    _r("presented_in", "award city", ONE,
       "ceremony cities|of; cities|that celebrate; which cities celebrate",
       "awards|presented in; prizes|handed out in; which awards are presented in"),
    _r("depicts", "painting city", ONE,
       "motifs|of; cities|seen on; which cities are seen on",
       "paintings|that depict; views|of; which paintings depict"),
    _r("curated_by", "museum person", ONE, "curators|of; experts|who curate; who curates",
       "museums|curated by; galleries|arranged by; which museums are curated by"),
    _r("invested_in", "company company", MAYBE,
       "holdings|of; companies|with money from; where did invest",
       "investors|in; companies|that invested in; which companies invested in"),
    _r("reviewed_by", "film person", TWO, "critics|of; people|who reviewed; who reviewed",
       "films|reviewed by; films|judged by; which films were reviewed by"),
    _r("lives_in", "person city", ONE,
       "residences|of; cities|inhabited by; which cities are inhabited by",
       "residents|of; people|who live in; who lives in"),
)  # fmt: skip

# Plausible relations that no question asks for: (name, head type, tail type).
DISTRACTORS: tuple[tuple[str, str, str], ...] = (
    ("inspired_by", "film", "film"),
    ("friend_of", "person", "person"),
    ("visited", "person", "city"),
    ("admires", "person", "person"),
    ("screened_in", "film", "city"),
    ("thanks", "film", "person"),
    ("trades_with", "company", "company"),
    ("near", "city", "city"),
    ("advised_by", "company", "person"),
    ("rejected_role_in", "person", "film"),
    ("shares_market_with", "company", "company"),
    ("remembers", "city", "person"),
    ("parodies", "film", "film"),
    ("distributed_in", "film", "city"),
    ("supplies", "company", "city"),
    ("corresponded_with", "person", "person"),
)
