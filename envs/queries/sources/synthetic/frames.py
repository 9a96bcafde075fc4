"""Question frames: what is said around the phrase for the things asked about.

`seen` frames occur in all splits, `unseen` ones in `heldout` only. Slots are filled by `wording`:
`{T}` the things ("films directed by ..."), `{n}` what their names are called and `{ns}` its plural,
`{p}` a property, `{most}` highest or lowest, `{g}`, `{gs}` and `{gn}` what is grouped by and the
name of its name, `{each}`, `{that}` and `{them}` the things of one group, `{C}` and `{cn}` others
that belong to them.
"""

from __future__ import annotations

__all__ = ["FRAMES"]

FRAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "list": {
        "seen": (
            "What are the {ns} of the {T}?",
            "List the {ns} of all {T}.",
            "Which {T} are there? Give their {ns}.",
            "Show me the {ns} of {T}.",
            "Find all {T} and return their {ns}.",
            "I want to know the {ns} of the {T}.",
        ),
        "unseen": (
            "Please look up the {ns} belonging to {T}.",
            "By what {ns} are the {T} known?",
        ),
    },
    "values": {
        "seen": (
            "What are the {n} and the {p} of the {T}?",
            "List the {n} and {p} of all {T}.",
            "Give the {n} of each of the {T} together with the {p}.",
            "Show {n} and {p} of {T}.",
            "Find all {T} and return {n} and {p}.",
        ),
        "unseen": (
            "I need two columns, {n} and {p}, for the {T}.",
            "Tabulate the {T} by {n} with the {p} beside it.",
        ),
    },
    "pairs": {
        "seen": (
            "Give the {n} of the {T} and the {cn} of the {C}.",
            "List all {T} by {n}, each with the {cn} of the {C}.",
            "For the {T}, show the {n} and the {cn} of the {C}.",
            "Which {T} go with which {C}? Give {n} and {cn}.",
            "Pair the {n} of the {T} with the {cn} of the {C}.",
        ),
        "unseen": (
            "Match up the {T} and the {C}: {n} first, then {cn}.",
            "I need the {n} of {T} next to the {cn} of the {C}.",
        ),
    },
    "count": {
        "seen": (
            "How many {T} are there?",
            "Count the {T}.",
            "What is the number of {T}?",
            "Give the number of {T}.",
            "Tell me how many {T} exist.",
        ),
        "unseen": ("I need a head count of the {T}.", "How large is the set of {T}?"),
    },
    "total": {
        "seen": (
            "What is the {fn} {p} of the {T}?",
            "Find the {fn} {p} of all {T}.",
            "Give the {fn} {p} among the {T}.",
            "Compute the {fn} {p} over {T}.",
            "Tell me the {fn} {p} for {T}.",
        ),
        "unseen": (
            "Taken over all {T}, what does the {fn} {p} come to?",
            "Looking at the {T}, which value is the {fn} {p}?",
        ),
    },
    "sorted": {
        "seen": (
            "List the {ns} of the {T} by {p}, {most} first, and then by {n}.",
            "Sort the {T} by {p}, {most} first, ties by {n}, and give their {ns}.",
            "What are the {ns} of the {T}, ordered by {p} from the {most} on and then by {n}?",
            "Show the {ns} of {T} in order of {p}, starting with the {most}; break ties by {n}.",
            "Return the {ns} of all {T} ordered by {p} ({most} first) and {n}.",
        ),
        "unseen": (
            "Arrange the {T} by {p} with the {most} on top, equal ones by {n}; print the {ns}.",
            "Put the {ns} of the {T} in sequence: {most} {p} leading, alphabetical where equal.",
        ),
    },
    "top": {
        "seen": (
            "Of the {T}, which {have} the {most} {p}? Give the {n}.",
            "Sort the {T} by {p}, {most} first, and give the {n} of the {first}.",
            "Give the {n} of the {first} among the {T} when ranked by {p}, {most} first.",
            "Return the {n} of the {first} of the {T} in order of {p} from the {most} on.",
            "Ranked by {p} from the {most} on, what is the {n} of the {first} of the {T}?",
        ),
        "unseen": (
            "Line the {T} up by {p} with the {most} in front: what is the {n} of the {first}?",
            "Who or what leads the {T} by {most} {p}? Name the {first} by {n}.",
        ),
    },
    "extreme": {
        "seen": (
            "Give the {ns} of those with the {most} {p} among the {T}.",
            "Among the {T}, which share the {most} {p}? Give the {ns}.",
            "Which {T} have a {p} that is the {most} of all of them? Return the {ns}.",
            "List the {ns} of all {T} that reach the {most} {p} found among them.",
            "Find every one of the {T} whose {p} equals the {most}, by {n}.",
        ),
        "unseen": (
            "No other of the {T} goes beyond them in {most} {p}: what are their {ns}?",
            "Name, by {n}, whatever holds the {most} {p} within the {T}.",
        ),
    },
    "per_group": {
        "seen": (
            "For each {g}, how many {that} are there? Give {gn} and number.",
            "Count the {each}; show {gn} and count.",
            "Give each {gn} with the number of {that}.",
            "How many {each} are there? List {gn} and number.",
            "Show, for every {g}, the {gn} and how many {that} exist.",
        ),
        "unseen": (
            "Break the number of {each} down: {gn}, then count.",
            "Tally the {each}, one line with {gn} and tally per {g}.",
        ),
    },
    "group_measure": {
        "seen": (
            "For each {g}, what is the {fn} {p} of the {that}? Give {gn} and value.",
            "Give each {gn} with the {fn} {p} of the {that}.",
            "What is the {fn} {p} of the {each}? List {gn} and value.",
            "Show, for every {g}, the {gn} and the {fn} {p} of the {that}.",
            "Compute the {fn} {p} of the {each}, returning {gn} and result.",
        ),
        "unseen": (
            "Per {g}, report {gn} and the {fn} {p} over the {that}.",
            "How does the {fn} {p} of the {each} compare? One row of {gn} and value per {g}.",
        ),
    },
    "having": {
        "seen": (
            "Which {gs} have {number} {them}? Give the {gn}.",
            "List the {gn} of all {gs} with {number} {them}.",
            "Find every {g} that has {number} {them} and return the {gn}.",
            "For which {gs} are there {number} {them}? Show the {gn}.",
            "Give the {gn} wherever there are {number} {that}.",
        ),
        "unseen": (
            "Keep only {gs} counting {number} {them}; what is the {gn} of each?",
            "Name by {gn} the {gs} to which {number} {them} can be ascribed.",
        ),
    },
    "most": {
        "seen": (
            "Which {have_g} the most {them}? Give the {gn}.",
            "Give the {gn} of the {first_g} with the most {them}.",
            "Rank the {gs} by the number of {them} and return the {gn} of the {first}.",
            "Find the {first_g} for which there are the most {them}, by {gn}.",
            "Order the {gs} by how many {them} there are, most first; show the {gn} of the "
            "{first}.",
        ),
        "unseen": (
            "Counting {them}, which {have_g} the lead? Answer by {gn}.",
            "Most {them}: what {gn} belongs to the {first_g} in front?",
        ),
    },
    "optional_count": {
        "seen": (
            "For each of the {T}, give the {n} and the number of {C}, also where it is zero.",
            "List the {n} of all {T} and how many {C} there are, including those with none.",
            "How many {C} are there for each of the {T}? Show {n} and number, zeros too.",
            "Give every one of the {T} by {n} with the count of {C}, even if there are none.",
            "Show {n} and number of {C} for all {T}, keeping those without any.",
        ),
        "unseen": (
            "Count the {C}, one line per {n} of the {T}, and do not leave out empty ones.",
            "Per {n} of the {T}: what is the tally of {C}, nought allowed?",
        ),
    },
    "optional_list": {
        "seen": (
            "For each of the {T}, give the {n} and, if there are any, the {cn} of the {C}.",
            "List the {n} of all {T} with the {cn} of the {C}, empty where there are none.",
            "Show all {T} by {n} and the {cn} of the {C} where known.",
            "Give the {n} of every one of the {T} together with the {cn} of any {C}, or nothing.",
            "Return {n} of the {T} and {cn} of the {C}, keeping those that have none.",
        ),
        "unseen": (
            "All {T} by {n}, please, and beside each the {cn} of the {C} or a blank.",
            "Do not drop a single one of the {T}: {n}, then {cn} of the {C} if any exist.",
        ),
    },
}
