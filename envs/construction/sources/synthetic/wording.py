"""Sentences that state a fact: the paraphrases of every relation, some of them held out.

`{h}` is the head and `{t}` the tail of a triple. In five seen wordings (and two held out) of each
relation some begin with the head and, unless tails are numbers, some with the tail, so that a
document can speak of either. No wording of one relation can be read as one of another: where two
patterns match a sentence, the one with more words of its own is meant (tested).
"""

from __future__ import annotations

from functools import lru_cache

__all__ = ["WORDINGS", "fill", "wordings"]

_TEXT: dict[str, tuple[str, str]] = {
    "directed_by": (
        "{h} was directed by {t}; {h} had {t} as its director; {t} directed {h}; "
        "{t} sat in the director's chair for {h}; the director of {h} was {t}",
        "{h} was made under the direction of {t}; {t} took charge of directing {h}"),
    "starred_actors": (
        "{h} starred {t}; {h} featured {t} in a leading role; {t} acted in {h}; "
        "{t} played one of the leads in {h}; among the cast of {h} was {t}",
        "{h} gave a major part to {t}; {t} appeared before the camera in {h}"),
    "has_genre": (
        "{h} belongs to the genre {t}; {h} is usually filed under {t}; {h} counts as {t}; "
        "{t} is the genre of {h}; critics place {h} in the genre {t}",
        "{h} falls into the category {t}; {t} is the label that shops put on {h}"),
    "release_year": (
        "{h} was released in {t}; {h} came out in {t}; {h} reached cinemas in {t}; "
        "the release of {h} followed in {t}; audiences first saw {h} in {t}",
        "{h} had its premiere in {t}; the first public showing of {h} took place in {t}"),
    "born_in": (
        "{h} was born in {t}; {h} came into the world in {t}; {h} is a native of {t}; "
        "{t} is the birthplace of {h}; the birthplace of {h} is {t}",
        "{h} first saw the light of day in {t}; {t} is the city where the life of {h} began"),
    "located_in": (
        "{h} lies in {t}; {h} is a city in {t}; {h} belongs to the country {t}; "
        "{t} is the country around {h}; visitors find {h} in {t}",
        "{h} can be found on the map of {t}; {t} has {h} within its borders"),
    "produced_by": (
        "{h} was produced by {t}; {h} was paid for by {t}; {t} produced {h}; "
        "{t} put up the money for {h}; the studio behind {h} was {t}",
        "{h} was brought to the screen by the studio {t}; {t} backed the production of {h}"),
    "authored_by": (
        "{h} was authored by {t}; {h} is a book by {t}; {t} is the author of {h}; "
        "{t} wrote the book {h}; the author of {h} is {t}",
        "{h} came from the pen of {t}; {t} spent long nights writing the pages of {h}"),
    "birth_year": (
        "{h} was born in the year {t}; {h} was a child of the year {t}; {h} has lived since {t}; "
        "the birth of {h} fell in the year {t}; the birth year of {h} is {t}",
        "{h} dates a first birthday to {t}; the parents of {h} welcomed the baby in {t}"),
    "headquartered_in": (
        "{h} is headquartered in {t}; {h} is based in {t}; {t} hosts the head office of {h}; "
        "{t} is the seat of {h}; the headquarters of {h} stand in {t}",
        "{h} runs its business out of {t}; {t} is where the managers of {h} have their desks"),
    "founded_by": (
        "{h} was founded by {t}; {h} was started by {t}; {t} founded {h}; "
        "{t} set up {h}; the founder of {h} was {t}",
        "{h} owes its existence to {t}; {t} brought {h} into being"),
    "population": (
        "{h} has a population of {t}; {h} counts {t} inhabitants; {h} is home to {t} people; "
        "the population of {h} is {t}; the last census of {h} found {t} inhabitants",
        "{h} houses {t} residents; the number of people living in {h} stands at {t}"),
    "studied_at": (
        "{h} studied at {t}; {h} is a graduate of {t}; {t} taught {h}; "
        "{t} counts {h} among its graduates; a degree was awarded to {h} by {t}",
        "{h} spent student years at {t}; {t} lists {h} as a former student"),
    "won_award": (
        "{h} won the award {t}; {h} received the award {t}; {t} was won by {h}; "
        "{t} went to {h}; a jury honoured {h} with {t}",
        "{h} took home {t}; {t} was handed to {h}"),
    "published_by": (
        "{h} was published by {t}; {h} was printed by {t}; {t} published {h}; "
        "{t} is the publisher of {h}; the publisher of {h} is {t}",
        "{h} was brought to bookshops by {t}; {t} put {h} into print"),
    "performed_by": (
        "{h} was recorded by {t}; {h} is a song of the band {t}; {t} recorded {h}; "
        "{t} performed {h}; listeners hear {t} on {h}",
        "{h} was first played by {t}; {t} took {h} into the studio"),
    "member_of": (
        "{h} is a member of {t}; {h} plays in the band {t}; {t} has {h} as a member; "
        "{t} includes the musician {h}; one of the members of {t} is {h}",
        "{h} belongs to the line-up of {t}; {t} shares its stage with its member {h}"),
    "speaks": (
        "{h} speaks {t}; {h} is fluent in {t}; {t} is a language of {h}; "
        "{t} is spoken by {h}; one of the languages of {h} is {t}",
        "{h} can hold a conversation in {t}; {t} comes easily to {h}"),
    "official_language": (
        "{h} has {t} as an official language; {h} recognises the language {t}; "
        "{t} is official in {h}; {t} is an official language of {h}; "
        "one official language of {h} is {t}",
        "{h} writes its laws in {t}; {t} is the language of offices in {h}"),
    "written_by": (
        "{h} was scripted by {t}; {h} was written for the screen by {t}; {t} scripted {h}; "
        "{t} wrote the screenplay of {h}; the screenplay of {h} is by {t}",
        "{h} follows a script of {t}; {t} delivered the dialogue of {h}"),
    "filmed_in": (
        "{h} was shot in {t}; {h} was filmed on the streets of {t}; {t} served as a set for {h}; "
        "{t} was used to film {h}; the cameras rolled for {h} in {t}",
        "{h} brought its crew to {t}; {t} lent its squares to the shooting of {h}"),
    "set_in": (
        "{h} is set in {t}; {h} tells a story from {t}; {t} is the setting of {h}; "
        "{t} is the scene of the book {h}; the plot of {h} unfolds in {t}",
        "{h} takes its readers to {t}; {t} is the place where the heroes of {h} live"),
    "composed_by": (
        "{h} was composed by {t}; {h} has music by {t}; {t} composed {h}; "
        "{t} wrote the tune of {h}; the composer of {h} is {t}",
        "{h} goes back to a melody of {t}; {t} found the melody of {h}"),
    "featured_in": (
        "{h} is featured in {t}; {h} is heard in the film {t}; {t} features the song {h}; "
        "{t} has {h} on its soundtrack; the soundtrack piece {h} belongs to {t}",
        "{h} plays over a scene of {t}; {t} ends with the sound of {h}"),
    "publication_year": (
        "{h} was published in the year {t}; {h} first appeared in print in {t}; "
        "{h} arrived in bookshops in {t}; the publication of {h} dates from {t}; "
        "readers first opened {h} in {t}",
        "{h} left the printing press in {t}; the first edition of {h} is of {t}"),
    "based_on": (
        "{h} is based on {t}; {h} is an adaptation of {t}; {t} was adapted into {h}; "
        "{t} is the source of the film {h}; the story of {h} comes from {t}",
        "{h} turns the pages of {t} into pictures; {t} gave its plot to {h}"),
    "works_for": (
        "{h} works for {t}; {h} is employed by {t}; {t} employs {h}; "
        "{t} has {h} on its payroll; the employer of {h} is {t}",
        "{h} earns a salary at {t}; {t} pays the wages of {h}"),
    "plays_for": (
        "{h} plays for {t}; {h} is a player of {t}; {t} fields {h}; "
        "{t} has {h} on its squad; the club of the athlete {h} is {t}",
        "{h} wears the shirt of {t}; {t} sends {h} onto the pitch"),
    "home_city": (
        "{h} comes from {t}; {h} plays its home games in {t}; {t} is the home of the team {h}; "
        "{t} cheers for {h}; the home city of {h} is {t}",
        "{h} has its supporters in {t}; {t} fills the stands of {h}"),
    "campus_in": (
        "{h} has its campus in {t}; {h} is a university in {t}; {t} has the campus of {h}; "
        "{t} is the university town of {h}; students of {h} live in {t}",
        "{h} gives its lectures in {t}; {t} is where the lecture halls of {h} stand"),
    "mentored_by": (
        "{h} was mentored by {t}; {h} was a pupil of {t}; {t} mentored {h}; "
        "{t} trained {h}; the mentor of {h} was {t}",
        "{h} learned the trade from {t}; {t} took {h} under a protective wing"),
    "founding_year": (
        "{h} was founded in {t}; {h} dates from {t}; {h} has existed since {t}; "
        "the founding year of {h} is {t}; the founding of {h} goes back to {t}",
        "{h} opened its books in {t}; the history of {h} begins in {t}"),
    "formed_in": (
        "{h} was formed in {t}; {h} got together in {t}; {t} gave rise to the band {h}; "
        "{t} is the home town of {h}; the first rehearsals of {h} took place in {t}",
        "{h} played its first concerts in {t}; {t} is where the musicians of {h} met"),
    "painted_by": (
        "{h} was painted by {t}; {h} is a painting by {t}; {t} painted {h}; "
        "{t} is the painter of {h}; the painter of {h} is {t}",
        "{h} shows the brush of {t}; {t} put {h} on canvas"),
    "has_capital": (
        "{h} has {t} as its capital; {h} is governed from {t}; {t} is the capital of {h}; "
        "{t} is the seat of government of {h}; the capital of {h} is {t}",
        "{h} keeps its parliament in {t}; {t} houses the ministries of {h}"),
    "plays_style": (
        "{h} plays the style {t}; {h} is known for {t}; {t} is the music of {h}; "
        "{t} is the style of {h}; the style of the band {h} is {t}",
        "{h} fills halls with {t}; {t} is what listeners get from {h}"),
}  # fmt: skip

WORDINGS: dict[tuple[str, str], tuple[str, ...]] = {
    (name, kind): tuple(text.split("; "))
    for name, texts in _TEXT.items()
    for kind, text in zip(("seen", "unseen"), texts, strict=True)
}
"""(relation, `seen` or `unseen`) -> its wordings. `unseen` ones occur in `heldout` only."""


@lru_cache(maxsize=512)
def wordings(relation: str, kind: str, first: str) -> tuple[str, ...]:
    """Return the wordings that begin with `first` (`{h}` or `{t}`), or all if it is empty.

    >>> wordings("directed_by", "unseen", "{t}")
    ('{t} took charge of directing {h}',)
    """
    return tuple(text for text in WORDINGS[relation, kind] if text.startswith(first))


def fill(wording: str, head: str, tail: str) -> str:
    """Return the sentence of a wording, without its full stop.

    >>> fill(wordings("speaks", "unseen", "{h}")[0], "Ida", "Maran")
    'Ida can hold a conversation in Maran'
    """
    return wording.replace("{h}", head).replace("{t}", tail)
