"""Queries written without understanding the question: from the schema alone, or always the same."""

from __future__ import annotations

from graphenv.query.schema import EntityType, Schema

__all__ = ["blind"]


def _title(entity: EntityType) -> str:
    texts = [p.name for p in entity.properties if p.type == "text"]
    return texts[0] if texts else entity.properties[-1].name


def _hub(schema: Schema) -> EntityType:
    """Return the entity type with most relations."""
    single = [entity for entity in schema.entities if len(entity.key) == 1]
    return max(
        single, key=lambda e: sum((r.head == e.name) + (r.tail == e.name) for r in schema.relations)
    )


def blind(schema: Schema, language: str, question: str) -> dict[str, str]:
    """Return queries by the name of the strategy."""
    return _sql(schema, question) if language == "sql" else _cypher(schema, question)


def _sql(schema: Schema, question: str) -> dict[str, str]:
    hub, every = _hub(schema), schema.entities
    single = [entity for entity in every if len(entity.key) == 1]
    names = ", ".join(entity.name for entity in every)
    columns = ", ".join(f"{e.name}.{p.name}" for e in every for p in e.properties)
    found = {
        "SELECT 1": "SELECT 1",
        "SELECT NULL": "SELECT NULL",
        "numbers to 30": " UNION ".join(f"SELECT {i}" for i in range(1, 31)),
        "all of the hub": f"SELECT * FROM {hub.name}",
        "names of the hub": f"SELECT {_title(hub)} FROM {hub.name}",
        "count of the hub": f"SELECT COUNT(*) FROM {hub.name}",
        "a condition that is wrong": (
            f"SELECT {_title(hub)} FROM {hub.name} WHERE {_title(hub)} = 'x'"
        ),
        "all tables": f"SELECT * FROM {names} LIMIT 2000",
        "all columns": f"SELECT {columns} FROM {names} LIMIT 1",
        "union of names": " UNION ".join(f"SELECT {_title(e)} FROM {e.name}" for e in single),
        "all joined": f"SELECT DISTINCT {hub.name}.{_title(hub)} FROM {_joined(schema, hub)}",
        "schema in a comment": f"SELECT 1 -- {columns}",
        "the question": question,
    }
    keyed = (r for r in schema.relations if len(r.joins) == 1 and r.head != r.tail)
    if (relation := next(keyed, None)) is not None:
        head, tail = schema.entity(relation.head), schema.entity(relation.tail)
        assert head is not None and tail is not None
        own, theirs = (end.split(".")[1] for end in relation.joins[0])
        tables = f"FROM {head.name} AS h JOIN {tail.name} AS t ON h.{own} = t.{theirs}"
        where = f"{tables} WHERE t.{_title(tail)} = 'x'"
        found["a template"] = f"SELECT DISTINCT h.{_title(head)} {where}"
        found["a template that counts"] = f"SELECT COUNT(*) {where}"
    return found


def _joined(schema: Schema, hub: EntityType) -> str:
    """Return the hub and all that foreign keys lead to."""
    text, used, more = hub.name, {hub.name}, True
    while more:
        more = False
        for relation in schema.relations:
            for own, theirs in relation.joins if len(relation.joins) == 1 else ():
                pair = (own.split(".")[0], theirs.split(".")[0])
                for here, new in (pair, pair[::-1]):
                    if here in used and new not in used:
                        text += f" JOIN {new} ON {own} = {theirs}"
                        used.add(new)
                        more = True
    return text


def _cypher(schema: Schema, question: str) -> dict[str, str]:
    hub, every = _hub(schema), schema.entities
    nodes = ", ".join(f"(n{i}:{e.name})" for i, e in enumerate(every))
    values = ", ".join(f"n{i}.{p.name}" for i, e in enumerate(every) for p in e.properties)
    found = {
        "RETURN 1": "RETURN 1",
        "RETURN null": "RETURN null",
        "numbers to 30": "UNWIND range(1, 30) AS x RETURN x",
        "all nodes": "MATCH (n) RETURN n",
        "all of the hub": f"MATCH (n:{hub.name}) RETURN n",
        "names of the hub": f"MATCH (n:{hub.name}) RETURN n.{_title(hub)}",
        "count of the hub": f"MATCH (n:{hub.name}) RETURN count(*)",
        "count of links": "MATCH (a)-[r]->(b) RETURN count(*)",
        "a condition that is wrong": (
            f"MATCH (n:{hub.name}) WHERE n.{_title(hub)} = 'x' RETURN n.{_title(hub)}"
        ),
        "all labels": f"MATCH {nodes} RETURN * LIMIT 2000",
        "all properties": f"MATCH {nodes} RETURN {values} LIMIT 1",
        "union of names": " UNION ".join(
            f"MATCH (n:{e.name}) RETURN n.{_title(e)} AS x" for e in every
        ),
        "schema in a comment": f"RETURN 1 // {values}",
        "the question": question,
    }
    relation = next((r for r in schema.relations if r.head != r.tail), None)
    if relation is not None:
        head, tail = schema.entity(relation.head), schema.entity(relation.tail)
        assert head is not None and tail is not None
        pattern = f"MATCH (h:{head.name})-[:{relation.name}]->(t:{tail.name})"
        where = f"{pattern} WHERE t.{_title(tail)} = 'x'"
        found["a template"] = f"{where} RETURN DISTINCT h.{_title(head)}"
        found["a template that counts"] = f"{where} RETURN count(*)"
    return found
