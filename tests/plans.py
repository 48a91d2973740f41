"""Query plans of a page's statements: which tables are scanned from end to end."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy.engine import Connection

_SCAN = re.compile(r"^SCAN (\w+)( USING (?:COVERING )?INDEX \w+)?")
_SEARCH = re.compile(r"^SEARCH \w+ USING (?:COVERING )?INDEX (\w+)")
_READING = ("SELECT", "UPDATE", "DELETE", "WITH")
_ALIAS = re.compile(r'(?:FROM|JOIN|,)\s+"?(\w+)"?\s+AS\s+"?(\w+)"?', re.IGNORECASE)


def scans(
    connection: Connection, statements: Iterable[tuple[str, Any]], growing: Collection[str]
) -> list[tuple[str, str]]:
    """Return each growing table that a statement reads from end to end, with the statement.

    statements are those given to a cursor, with their parameters. Statements that only insert are
    skipped, and those that no row can match, since SQLite reads nothing for them.
    """
    read = _of_postgres if connection.dialect.name == "postgresql" else _of_sqlite
    scanned_by: dict[tuple[str, str], None] = {}
    for statement, parameters in statements:
        if statement.startswith(_READING) and "WHERE 0 = 1 " not in f"{statement} ":
            for table in read(connection, statement, parameters):
                if table in growing:
                    scanned_by[table, statement] = None
    return list(scanned_by)


def indexes(connection: Connection, statements: Iterable[tuple[str, Any]]) -> set[str]:
    """Return the indexes with which the database finds what statements read."""
    read = _by_postgres if connection.dialect.name == "postgresql" else _by_sqlite
    return {
        name
        for statement, parameters in statements
        if statement.startswith(_READING)
        for name in read(connection, statement, parameters)
    }


def sorts(connection: Connection, statements: Iterable[tuple[str, Any]]) -> list[str]:
    """Return the statements whose rows are sorted after they are found, instead of by an index."""
    sorted_by = _sorts_postgres if connection.dialect.name == "postgresql" else _sorts_sqlite
    return [
        statement
        for statement, parameters in statements
        if sorted_by(connection, statement, parameters)
    ]


def _sorts_sqlite(connection: Connection, statement: str, parameters: Any) -> bool:
    details = _details(connection, statement, parameters)
    return any("TEMP B-TREE FOR" in detail for detail in details)


def _sorts_postgres(connection: Connection, statement: str, parameters: Any) -> bool:
    cursor: Any = connection.connection.cursor()
    try:
        # Otherwise PostgreSQL sorts a few rows, index or not.
        cursor.execute("SET LOCAL enable_sort = off")
    finally:
        cursor.close()
    nodes = _nodes(_plan(connection, statement, parameters))
    return any("Sort" in node["Node Type"] for node in nodes)


def _by_sqlite(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    for detail in _details(connection, statement, parameters):
        if match := _SEARCH.match(detail):
            yield match.group(1)


def _by_postgres(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    for node in _nodes(_plan(connection, statement, parameters)):
        if "Index Name" in node:
            yield node["Index Name"]


def _details(connection: Connection, statement: str, parameters: Any) -> list[str]:
    cursor: Any = connection.connection.cursor()
    try:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [row[3] for row in cursor.fetchall()]
    finally:
        cursor.close()


def _of_sqlite(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    names: dict[str, str] = {alias: table for table, alias in _ALIAS.findall(statement)}
    for detail in _details(connection, statement, parameters):
        scanned = _SCAN.match(detail)
        if scanned:
            yield names.get(scanned.group(1), scanned.group(1))


def _of_postgres(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    for node in _nodes(_plan(connection, statement, parameters)):
        kind = node["Node Type"]
        is_index = kind in {"Index Scan", "Index Only Scan"}
        if kind == "Seq Scan" or (is_index and "Index Cond" not in node):
            yield node["Relation Name"]


def _plan(connection: Connection, statement: str, parameters: Any) -> dict[str, Any]:
    cursor: Any = connection.connection.cursor()
    try:
        # Otherwise PostgreSQL reads or joins small tables whole, index or not.
        for choice in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"):
            cursor.execute(f"SET LOCAL {choice} = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        explained = cursor.fetchone()[0]
        plan = json.loads(explained) if isinstance(explained, str) else explained
        root: dict[str, Any] = plan[0]["Plan"]
        return root
    finally:
        cursor.close()


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
