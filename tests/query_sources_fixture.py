"""Published layouts in small, written by the tests themselves: Spider, BIRD, ZOGRASCOPE, neo4j."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

GOLD = {
    "How many films are there?": "SELECT count(*) FROM film",
    "Films made after 1990?": "SELECT title FROM film WHERE year > 1990",
    "Films by Ann?": (
        "SELECT T1.title FROM film AS T1 JOIN person AS T2 ON T1.made_by = T2.id "
        "WHERE T2.name = 'Ann'"
    ),
    "Titles by year?": "SELECT title FROM film ORDER BY year, title",
    "The oldest film?": "SELECT title FROM film ORDER BY year LIMIT 1",  # two of 1980
    "Any film?": "SELECT title FROM film LIMIT 1",
    "Films by Zoe?": (  # nobody is called so
        "SELECT T1.title FROM film AS T1 JOIN person AS T2 ON T1.made_by = T2.id "
        "WHERE T2.name = 'Zoe'"
    ),
    "Broken?": "SELECT nothing FROM film",
}
FILMS = [
    (i, f"Film {i}", [1980, 1980, 1985, 1991, 1994, 1999, 2001, 2010][i % 8], i % 5 + 1)
    for i in range(16)
]
PEOPLE = [(1, "Ann", 30), (2, "Bob", 41), (3, "Cid", 41), (4, "Dan", 66), (5, "Eva", 23)]


def write_cinema(path: Path, *, films: list[tuple[Any, ...]] = FILMS) -> Path:
    """Write a database of films and people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            create table person (id integer primary key, name text, age int);
            create table film (id int primary key, title text unique, year int,
                made_by integer references person (id));
            create table seen (film_id int, person_id int, stars real,
                primary key (film_id, person_id),
                foreign key (film_id) references film (id),
                foreign key (person_id) references person (id));
            create index by_year on film (year);
            create view old as select * from film where year < 1990;
            create trigger spy after insert on person begin delete from film; end;
            """
        )
        connection.executemany("insert into film values (?, ?, ?, ?)", films)
        connection.execute("drop trigger spy")
        connection.executemany("insert into person values (?, ?, ?)", PEOPLE)
        connection.execute("create trigger spy after insert on person begin delete from film; end")
        connection.executemany(
            "insert into seen values (?, ?, ?)",
            [(f, p, (f * p) % 9 / 2) for f in range(12) for p in range(1, 5) if (f + p) % 3],
        )
        connection.commit()
    return path


def tables_entry(name: str) -> dict[str, Any]:
    """Return the entry of `tables.json` for the database."""
    columns = [
        [-1, "*"],
        *([0, c] for c in ("id", "name", "age")),
        *([1, c] for c in ("id", "title", "year", "made_by")),
        *([2, c] for c in ("film_id", "person_id", "stars")),
    ]
    return {
        "db_id": name,
        "table_names_original": ["person", "film", "seen"],
        "column_names_original": columns,
        "column_types": ["text", *("number", "text", "number"), *["number"] * 7],
        "primary_keys": [1, 4],
        "foreign_keys": [[7, 1], [8, 4], [9, 1]],
    }


def write_spider(
    root: Path, *, dev: list[str], train: list[str] | None = None, without: tuple[str, ...] = ()
) -> Path:
    """Write Spider's layout with the questions of `GOLD` for each database."""
    for name in {*dev, *(train or ())} - set(without):
        write_cinema(root / "database" / name / f"{name}.sqlite")
    for file, names in (("dev.json", dev), ("train_spider.json", train)):
        if names is not None:
            rows = [
                {"db_id": name, "question": question, "query": gold}
                for name in names
                for question, gold in GOLD.items()
            ]
            (root / file).write_text(json.dumps(rows), encoding="utf-8")
    entries = [tables_entry(name) for name in sorted({*dev, *(train or ())})]
    (root / "tables.json").write_text(json.dumps(entries), encoding="utf-8")
    return root


def write_bird(root: Path, *, databases: bool) -> Path:
    """Write the layout of BIRD's mini-dev: three databases, schemas only in the files."""
    root.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for name in ("alpha", "beta", "gamma"):
        for number, (question, gold) in enumerate(GOLD.items()):
            rows.append(
                {
                    "question_id": len(rows),
                    "db_id": name,
                    "question": question,
                    "evidence": "old means before 1990" if number == 1 else "",
                    "SQL": gold,
                    "difficulty": "simple",
                }
            )
        if databases:
            write_cinema(root / "dev_databases" / name / f"{name}.sqlite")
    (root / "mini_dev_sqlite.json").write_text(json.dumps(rows), encoding="utf-8")
    return root


# -- graphs ---------------------------------------------------------------------------------------


def _csv(header: list[str], rows: list[list[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def write_zograscope(root: Path) -> Path:
    """Write ZOGRASCOPE's layout: 40 people and 60 crimes, and six questions of each template."""
    root.mkdir(parents=True, exist_ok=True)
    names = [f"Name{i % 13}" for i in range(40)]
    people = [[i, names[i], "" if i % 4 else 20 + i, "Person"] for i in range(40)]
    crimes = [[100 + i, f"{1 + i % 28:02}/08/2017", 1 + i % 7, "Crime"] for i in range(60)]
    party: list[list[Any]] = [[i % 40, 100 + i, "PARTY_TO"] for i in range(60)]
    knows = [[i, (i * 7 + 3) % 40, "KNOWS", "friend"] for i in range(40)]
    files = {
        "x.nodes.Person.csv": _csv([":ID", "name", "age", ":LABEL"], people),
        "x.nodes.Crime.csv": _csv([":ID", "date", "weight:double", ":LABEL"], crimes),
        "x.relationships.PARTY_TO.csv": _csv([":START_ID", ":END_ID", ":TYPE"], party),
        "x.relationships.KNOWS.csv": _csv([":START_ID", ":END_ID", ":TYPE", "how"], knows),
        "neo4j_importer_model.json": json.dumps(_MODEL),
    }
    with zipfile.ZipFile(root / "pole-data-importer.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    rows: list[list[Any]] = []
    for number in range(12):
        name = f"Name{number}"
        count = names.count(name)
        crimes_of = sum(names[row[0]] == name for row in party)
        for template, gold, returned in (
            ("a", f'MATCH (x0:Person WHERE x0.name = "{name}")\nRETURN COUNT(DISTINCT x0)', 1),
            ("b", f'MATCH (x0:Person WHERE x0.name = "{name}")\nRETURN x0', count),
            (
                "c",
                f'MATCH (x0:Person WHERE x0.name = "{name}")-[:PARTY_TO]-(x1:Crime)'
                "\nRETURN x1.date",
                crimes_of,
            ),
            ("d", f'MATCH (x0:Person WHERE x0.name = "{name}")\nRETURN x0\nLIMIT 1', 1),
            ("e", f'MATCH (x0:Person WHERE x0.name = "{name}")\nRETURN x0.name', count + 1),
        ):
            form = f"{template}{number % 6}"
            rows.append(
                [len(rows), f"{template} {name}?", gold, f"{name}\n?", 1, form, "t", returned]
            )
    header = [
        "id",
        "nl",
        "mr",
        "nl_gold_linked",
        "num_nodes",
        "template_id",
        "type",
        "return_count",
    ]
    (root / "zograscope_train_v1.csv").write_text(_csv(header, rows), encoding="utf-8")
    return root


_MODEL = {
    "dataModel": {
        "graphSchemaRepresentation": {
            "graphSchema": {
                "nodeLabels": [
                    {
                        "token": "PERSON",
                        "properties": [{"token": "age", "type": {"type": "integer"}}],
                    }
                ],
                "relationshipTypes": [],
            }
        }
    }
}


def write_neo4j(root: Path) -> Path:
    """Write the layout of neo4j-labs/text2cypher: three schemas, one database without a schema."""
    root.mkdir(parents=True, exist_ok=True)
    schema = {
        "node_props": {
            "Film": [
                {"property": "title", "type": "STRING"},
                {"property": "year", "type": "INTEGER"},
            ],
            "Person": [{"property": "name", "type": "STRING"}],
        },
        "rel_props": {"MADE": [{"property": "since", "type": "DATE"}]},
        "relationships": [{"start": "Person", "type": "MADE", "end": "Film"}],
    }
    golds = [
        ("MATCH (f:Film) RETURN f.title", "False", ""),
        ("MATCH (f:Film) RETURN f.title ORDER BY f.year LIMIT 3", "False", ""),
        ("MATCH (f:Film) RETURN f.title ORDER BY f.title LIMIT 3", "False", ""),
        ("MATCH (f:Film) RETURN f.title LIMIT 3", "False", ""),
        ("MATCH (f:Film) RETRN f.title", "True", ""),
        ("MATCH (f:Film) RETRN f.title", "False", ""),
        ("MATCH (f:Movie) RETURN f.title", "False", "Movie"),
    ]
    rows = [
        [f"{name} {number}?", gold, "Simple", name, error, "False", "True", false]
        for name in ("one", "two", "three", "nowhere")
        for number, (gold, error, false) in enumerate(golds)
    ]
    header = ["question", "cypher", "type", "database", "syntax_error"]
    header += ["timeout", "returns_results", "false_schema"]
    (root / "text2cypher_gpt4turbo.csv").write_text(_csv(header, rows), encoding="utf-8")
    described = [[name, "...", repr(schema)] for name in ("one", "two", "three")]
    (root / "text2cypher_schemas.csv").write_text(
        _csv(["database", "schema", "structured_schema"], described), encoding="utf-8"
    )
    return root
