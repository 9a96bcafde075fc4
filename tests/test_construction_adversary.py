"""Reward for a graph that states nothing: each attack earns less than an honest part of the gold.

In one task everything is known (gold triples, topics, paths, aliases), in the other only which
answers and passages belong to a question: there, names in a passage are all that can be checked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import pairwise

import construction_fixture as fx
import pytest
from construction_fixture import GOLD, HONEST, LOOSE_TASK, PASSAGES, QUESTIONS, TASK
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv.corpus import Corpus, CorpusQuestion, Passage
from graphenv.graph import Triple
from graphenv.rewards import parse
from graphenv.rewards.construction.reader import ReaderRequest, chat, read_answers
from graphenv.task import Task

NAMES = fx.names()
RELATIONS = sorted({relation for _, relation, _ in GOLD})
TITLES = [passage.title for passage in PASSAGES]
SENTENCES = [(p.title, part) for p in PASSAGES for part in p.text.split(". ")]

KNOWN = ("carrier", "passage_recall", "graphenv-construction", "kg_f1", "carrier(stated=False)")
LOOSE = ("carrier(stated=False)", "passage_recall")


def value(reward: str, task: Task, triples: Iterable[Triple]) -> float:
    score = parse(reward)([fx.built(task, triples)])[0]
    assert score.status == "ok" and score.value is not None, score.reason
    return score.value


def paths() -> list[tuple[str, tuple[str, ...], str]]:
    return [(q.topics[0], q.path, q.answers[0]) for q in QUESTIONS]


def spellings(triple: Triple, count: int) -> list[Triple]:
    """Return one triple many times, under all names and spellings of its ends."""
    head, relation, tail = triple
    heads = [head, head.upper(), head.replace(" ", "_"), "M. K. Mann", "m._k. mann"]
    tails = [tail, f" {tail}", "the Windy City", "The_Windy  City"]
    forms = [(h, r, t) for h in heads for t in tails for r in (relation, relation.upper())]
    return (forms * count)[:count]


ATTACKS: dict[str, Callable[[], list[Triple]]] = {
    "nothing": list,
    "answer dump": lambda: [(topic, "answer", answer) for topic, _, answer in paths()],
    "answer dump by the last relation": lambda: [(t, path[-1], a) for t, path, a in paths()],
    "answer dump by the first relation": lambda: [(t, path[0], a) for t, path, a in paths()],
    "answer dump under every relation": lambda: [
        (topic, relation, answer) for topic, _, answer in paths() for relation in RELATIONS
    ],
    "an invented way to the answer": lambda: [
        triple
        for topic, path, answer in paths()
        for triple in ((topic, path[0], "Someone"), ("Someone", path[1], answer))
    ],
    "a loop, then the answer": lambda: [
        triple
        for topic, path, answer in paths()
        for triple in ((topic, path[0], topic), (topic, path[1], answer))
    ],
    "ungrounded triples": lambda: fx.wrong(20),
    "all pairs": lambda: [(a, "is related to", b) for a in NAMES for b in NAMES if a != b],
    "all pairs, a gold relation": lambda: [(a, "born_in", b) for a in NAMES for b in NAMES],
    "all pairs, all relations": fx.everything,
    "names side by side": lambda: [(a, r, b) for a, b in pairwise(NAMES) for r in RELATIONS],
    "copied documents": lambda: [(p.title, "text", p.text) for p in PASSAGES],
    "copied documents, both ends": lambda: [(p.text, "same as", p.text + " ") for p in PASSAGES],
    "copied sentences": lambda: [(title, "says", sentence) for title, sentence in SENTENCES],
    "copied words": lambda: [
        (p.title, "has", word.strip(".,")) for p in PASSAGES for word in p.text.split()
    ],
    "copied questions": lambda: [(q.text, "answer", q.answers[0]) for q in QUESTIONS],
    "questions as names of titles": lambda: [
        (q.text, "?", title) for q in QUESTIONS for title in TITLES
    ],
    "a hub of nothing": lambda: [("the", "mentions", name) for name in NAMES],
    "a hub in every passage": lambda: [("was", "mentions", title) for title in TITLES],
    "a hub of a topic": lambda: [("Heat", "mentions", n) for n in NAMES if n != "Heat"],
    "a hub under every relation": lambda: [("Heat", r, n) for n in NAMES for r in RELATIONS],
    "one triple in many spellings": lambda: spellings(GOLD[1], 40),
    "one triple many times": lambda: [GOLD[0]] * 40,
    "synonyms of relations": lambda: [
        (h, name, t)
        for h, _, t in GOLD[:2]
        for name in ("birthplace", "was born in", "place of birth", "native of", "comes from")
    ],
    "huge": lambda: [
        (NAMES[i % len(NAMES)], f"r{i}", NAMES[i * 7 % len(NAMES)]) for i in range(2_000)
    ],
    "relations that hold the answer": lambda: [
        (topic, f"the answer is {answer}", topic) for topic, _, answer in paths()
    ],
    "every entity linked to every title": lambda: [
        (name, "in", title) for name in NAMES for title in TITLES
    ],
    "titles in a row": lambda: [(a, "next", b) for a in TITLES for b in TITLES if a != b],
    "titles as loops": lambda: [(title, "is", title) for title in TITLES],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_earns_less_than_an_honest_part(attack: str) -> None:
    triples = ATTACKS[attack]()
    for task, rewards in ((TASK, KNOWN), (LOOSE_TASK, LOOSE)):
        for reward in rewards:
            honest = value(reward, task, HONEST)
            assert value(reward, task, triples) < honest, (reward, honest)


def test_the_published_forms_pay_what_ours_do_not() -> None:
    """The same attacks under the published rewards: several earn as much as the gold itself."""
    carried = {name for name, make in ATTACKS.items() if value("autograph-carrier", TASK, make())}
    found = {name for name, make in ATTACKS.items() if value("autograph-index", TASK, make()) == 1}
    assert {"answer dump", "all pairs", "an invented way to the answer"} <= carried
    assert {"all pairs", "a hub in every passage", "every entity linked to every title"} <= found
    dump = ATTACKS["answer dump"]()
    assert value("autograph-carrier", TASK, dump) == value("autograph-carrier", TASK, GOLD) == 1.0


# -- searches -------------------------------------------------------------------------------------

SAID = [*NAMES, "M. K. Mann", "the Windy City", "Someone", "film", *(q.text for q in QUESTIONS)]
PLAIN = {(fx.CORPUS.canonical(h), r, fx.CORPUS.canonical(t)) for h, r, t in GOLD}
triples = st.tuples(
    st.sampled_from(SAID), st.sampled_from([*RELATIONS, "is", "answer"]), st.sampled_from(SAID)
)
not_gold = triples.filter(
    lambda t: (fx.CORPUS.canonical(t[0]), t[1], fx.CORPUS.canonical(t[2])) not in PLAIN
)
parts = st.lists(st.sampled_from(GOLD), unique=True, max_size=len(GOLD))


@settings(max_examples=40)
@given(parts, st.lists(not_gold, min_size=1, max_size=30), st.randoms())
def test_no_triple_that_is_not_gold_raises_the_reward(
    part: list[Triple], added: list[Triple], random: object
) -> None:
    mixed = [*part, *added]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    for reward in ("graphenv-construction", "carrier", "passage_recall", "kg_f1"):
        before, after = value(reward, TASK, part), value(reward, TASK, mixed)
        assert after < before or before == after == 0.0, reward


@settings(max_examples=20)
@given(parts, st.lists(triples, max_size=5), st.integers(1, 20))
def test_ungrounded_triples_never_pay(part: list[Triple], more: list[Triple], count: int) -> None:
    """Also where nothing but the names in the documents can be checked."""
    for reward in (*LOOSE, "grounding"):
        before = value(reward, LOOSE_TASK, [*part, *more])
        after = value(reward, LOOSE_TASK, [*part, *more, *fx.wrong(count)])
        assert after < before or before == after == 0.0, reward


@settings(max_examples=40)
@given(parts, parts, st.lists(not_gold, max_size=5))
def test_a_gold_triple_more_never_lowers_the_reward(
    part: list[Triple], more: list[Triple], wrong: list[Triple]
) -> None:
    both = [*part, *(triple for triple in more if triple not in part)]
    for reward in ("graphenv-construction", "carrier", "kg_f1", "grounding"):
        if reward != "grounding" or not wrong:
            assert value(reward, TASK, [*both, *wrong]) >= value(reward, TASK, [*part, *wrong])


@settings(max_examples=20)
@given(st.lists(triples, max_size=20), st.randoms())
def test_ranges_and_the_order_of_triples(given_: list[Triple], random: object) -> None:
    turned = list(given_)
    random.shuffle(turned)  # type: ignore[attr-defined]
    for task in (TASK, LOOSE_TASK):
        for reward in (*LOOSE, "grounding", "compactness", "autograph-carrier", "autograph-index"):
            found = value(reward, task, given_)
            assert 0.0 <= found <= 1.0
            if "autograph" in reward:
                assert value(reward, task, turned) == pytest.approx(found)
            else:
                assert value(reward, task, turned) == pytest.approx(found, abs=1e-12), reward


@settings(max_examples=40)
@given(st.lists(triples, min_size=1, max_size=10), st.integers(2, 4))
def test_repetition_never_pays(given_: list[Triple], times: int) -> None:
    for task in (TASK, LOOSE_TASK):
        for reward in (*LOOSE, "compactness", "grounding"):
            assert value(reward, task, given_ * times) <= value(reward, task, given_)


def test_other_spellings_of_the_gold_are_repetitions() -> None:
    """The graph merges them, so `triple_f1` sees the gold; what was written is twice as long."""
    twice = [*GOLD, *((h.upper(), r, f" {t} ") for h, r, t in GOLD)]
    assert value("triple_f1", TASK, twice) == value("kg_f1(of='entities')", TASK, twice) == 1.0
    for reward in ("kg_f1", "kg_f1(similarity='string')"):
        assert value(reward, TASK, twice) == pytest.approx(2 / 3)
    assert value("kg_f1", TASK, [*twice, *twice]) == pytest.approx(2 / 5)


def test_without_gold_triples_an_answer_is_no_reward_unless_asked_for() -> None:
    """A search finds wrong triples between names of one passage that carry the answers."""
    lenient, built = "carrier(stated=False)", list(HONEST)
    told = [sorted({name for name in NAMES if name in f"{p.title} {p.text}"}) for p in PASSAGES]
    pool = [(a, "wrong", b) for names in told for a in names for b in names if a < b]
    best = value(lenient, LOOSE_TASK, built)
    for _ in range(2):
        tried = [(value(lenient, LOOSE_TASK, [*built, t]), t) for t in pool if t not in built]
        best, triple = max(tried)
        built.append(triple)
    assert best > value(lenient, LOOSE_TASK, GOLD) > value(lenient, LOOSE_TASK, HONEST) > 0.0
    assert parse("carrier")([fx.built(LOOSE_TASK, built)])[0].value is None
    assert value("carrier", TASK, built) < value("carrier", TASK, HONEST)
    assert "target.graph" in parse("carrier").needs - parse(lenient).needs
    assert "target.graph" not in parse("autograph-carrier").needs


# -- bounded time ---------------------------------------------------------------------------------


def test_huge_graphs_take_bounded_time() -> None:
    many = [(f"{NAMES[i % 12]} {i // 12}", RELATIONS[i % 8], NAMES[i % 7]) for i in range(3_000)]
    words = " ".join(f"word{i}" for i in range(500))
    stones = ("the " * 5_000, "\u0301" * 5_000, "(" * 5_000, "1," * 5_000, "A." * 5_000)
    odd = [(a, b, f"{a}x") for a in stones for b in stones]
    rewards = [parse(name) for name in (*KNOWN, "grounding", "compactness", "autograph-index")]
    started = time.monotonic()
    for given_ in (many, [(words, "is", f"{words} {i}") for i in range(20)], odd):
        for task in (TASK, LOOSE_TASK):
            episode = fx.built(task, given_)
            for reward in rewards:
                found = reward([episode])[0].value
                assert found is None or found < 0.1 or reward.name.startswith("passage_recall(p")
    assert time.monotonic() - started < 20


# -- published defects: the same input, their formula and ours ------------------------------------

SEEN: list[ReaderRequest] = []


def remember(request: ReaderRequest) -> list[str]:
    """A reader that cannot read."""
    SEEN.append(request)
    return []


def last_name(request: ReaderRequest) -> list[str]:
    """A reader that says the tail of the last triple."""
    return [request.triples[-1][2]]


def test_defect_the_judge_sees_the_gold_answer() -> None:
    """AutoGraph-R1 shows its judge the gold answer; our reader is shown none that was not built."""
    SEEN.clear()
    reward = "carrier(function='test_construction_adversary:remember')"
    assert value(reward, TASK, [GOLD[0]]) == 0.0
    assert [request.question for request in SEEN] == [q.text for q in QUESTIONS]
    assert SEEN[0].triples == SEEN[1].triples == ((GOLD[0]),)
    for request in SEEN:
        messages = str(chat(request))
        assert "Chicago" not in messages and "Illinois" not in messages
    SEEN.clear()
    assert value(reward, TASK, ATTACKS["answer dump"]()) == 0.0
    assert SEEN == []  # nothing is left to be shown


def test_defect_one_dumped_triple_is_enough() -> None:
    """AutoGraph-R1: the answer beside the topic is deduced from, wherever it came from."""
    for question in QUESTIONS:
        dump = [(question.topics[0], "answer", question.answers[0])]
        single = Task("one", 0, TASK.messages, TASK.target)
        assert value("autograph-carrier", single, dump) == 0.5  # one of two questions
        for reward in ("carrier", "carrier(stated=False)", "passage_recall", "kg_f1"):
            assert value(reward, single, dump) == 0.0


@pytest.mark.parametrize("reply", [
    "Yesterday I read of it; the triples do not answer.",
    "I cannot say yes.",
    "The yes is not deduced.\nANSWER: unknown",
    "ANSWER: Chicago\nbut that is a guess",
])  # fmt: skip
def test_defect_yes_as_a_substring(reply: str) -> None:
    """AutoGraph-R1 looks for "yes" in the reply; ours reads one line in one form."""
    assert "yes" in reply.lower() or "ANSWER" in reply
    assert read_answers(reply) == ()


def test_defect_parallel_edges_are_lost() -> None:
    """AutoGraph-R1 builds a networkx DiGraph: of several relations of a pair the last one stays."""
    text = "Mann wrote Heat and Mann directed Heat."
    asked = CorpusQuestion("What did Mann write?", ("Mann",), ("wrote",), ("Heat",), ("",))
    corpus = Corpus((Passage("", text),), (asked,))
    both = [("Mann", "wrote", "Heat"), ("Mann", "directed", "Heat")]
    theirs = {(head, tail): relation for head, relation, tail in both}
    assert list(theirs.values()) == ["directed"]
    assert value("carrier", fx.task(corpus, both), both) == 1.0
    assert value("carrier", fx.task(corpus, both), both[1:]) == 0.0


def test_defect_nothing_ties_triples_to_the_text() -> None:
    """AutoGraph-R1 never looks whether a document says what a triple says."""
    invented = [("Heat", "made by", "Somebody Else"), ("Somebody Else", "from", "Chicago")]
    assert value("autograph-carrier", TASK, invented) == 0.5
    assert value("carrier(stated=False)", TASK, invented) == value("grounding", TASK, invented) == 0


def test_defect_a_veto_would_refuse_gold() -> None:
    """Were one triple that is not verbatim in the text fatal, so would the gold be."""
    text = "Aarhus Airport's runway, 2,702 m long, opened on 13 March 1963."
    gold = [("Aarhus_Airport", "runwayLength", "2702.0"), ("Aarhus_Airport", "date", "1963-03-13")]
    task = fx.task(Corpus((Passage("", text),)), gold)
    assert not all(name in text for h, _, t in gold for name in (h, t))
    assert value("grounding", task, gold) == 1.0
    assert value("grounding", task, [*gold, ("Aarhus", "near", "Nowhere")]) == pytest.approx(2 / 3)


def test_a_reader_answers_from_the_supported_graph() -> None:
    reward = parse("carrier(function='test_construction_adversary:last_name')")
    path = [GOLD[0], GOLD[1]]
    assert reward([fx.built(TASK, path)])[0].value == 0.5  # Chicago, not Illinois
    dumped = [*path, ("Heat", "answer", "Illinois"), ("Chicago", "the answer is", "Illinois")]
    assert reward([fx.built(TASK, dumped)])[0].value == 0.25
