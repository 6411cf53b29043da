"""Checks that the SQL of the repo layer is understood by Aurora MySQL 3 and MariaDB 10.11 alike."""

import ast
import re
from collections.abc import Iterator

from dev_cli.paths import ROOT

REPO_LAYER = ROOT / "layers" / "repo" / "python" / "gochat_repo"

# Reserved by MySQL 8.0 ("Keywords and Reserved Words" of its manual) but not by MariaDB 10.11: as a bare name such a
# word passes every test here and breaks the deployment. What both reserve fails here by itself.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        cube cume_dist dense_rank empty first_value function get groups grouping io_after_gtids io_before_gtids
        json_table lag last_value lateral lead master_bind nth_value ntile of optimizer_costs percent_rank rank
        row_number system virtual window
        """,
    )
)

# Fine where the grammar asks for the keyword itself.
RESERVED_IN_PLACE = re.compile(r"\)\s*virtual\b|\brow_number\s*\(\s*\)\s*over\b", re.IGNORECASE)

CONSTRUCTS = {
    r"\breturning\b": "RETURNING: MySQL has none",
    r"->": "-> and ->>: MariaDB has none, write JSON_VALUE",
    r"\bvalues\s*\(.*\)\s*as\s+\w+(\s*\([^)]*\))?\s+on\s+duplicate\b": "a row alias: write VALUES(col)",
    r"\b(key|index)\s*\w*\s*\(\s*\(": "a functional index: MariaDB has none, index a generated column",
    r"\b(uuid_to_bin|bin_to_uuid)\b": "UUID_TO_BIN and BIN_TO_UUID: MariaDB 10.11 has none",
    r"\bfor\s+share\b": "FOR SHARE: MariaDB has none, write LOCK IN SHARE MODE",
    r"\bfor\s+update\s+of\b": "FOR UPDATE OF: MariaDB has none",
    r"\butf8mb4_0900_\w+": "a utf8mb4_0900 collation: MariaDB 10.11 has none",
    r"\b(uca1400|utf8mb4_uca1400\w*)": "a UCA 14 collation: MySQL has none",
    r"\b(column|index|key|constraint|partition)\s+if\s+(not\s+)?exists\b": "IF EXISTS in ALTER TABLE: MySQL has none",
    r"\bcreate\s+or\s+replace\s+table\b": "CREATE OR REPLACE TABLE: MySQL has none",
    r"\bcreate\s+sequence\b": "CREATE SEQUENCE: MySQL has none",
    r"\b(inet4|inet6|uuid)\s+(not\s+)?null\b": "the types INET4, INET6 and UUID: MySQL has none",
    r"\b(intersect|except)\b": "INTERSECT and EXCEPT: Aurora MySQL 3.0x has none",
    r"\bfetch\s+(first|next)\b": "FETCH FIRST: MySQL has none, write LIMIT",
    r"\bwith\s+.*\)\s*(delete|update)\b": "WITH before DELETE or UPDATE: MariaDB 10.11 has none",
}

MAX_IDENTIFIER = 64
# In capitals, as the repo layer writes it: a docstring may well begin with "Insert" or "Lock".
_VERB = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CREATE|ALTER|DROP|LOCK)\s")


def find_faults() -> str:
    """Name each construct and each bare reserved word that one of the two servers refuses."""
    faults: list[str] = []
    for path in sorted(REPO_LAYER.rglob("*.sql")):
        faults += (f"{path.relative_to(ROOT)}:{line}: {fault}" for line, fault in faults_of_migration(path.read_text()))
    for path in sorted(REPO_LAYER.rglob("*.py")):
        for first_line, statement in statements_in_python(path.read_text()):
            faults += (
                f"{path.relative_to(ROOT)}:{first_line + line - 1}: {fault}"
                for line, fault in faults_of_statements(statement)
            )
    return "\n".join(faults)


def faults_of_migration(sql: str) -> list[tuple[int, str]]:
    """Give line and fault for a migration: its statements, and what every new table must spell out."""
    faults = faults_of_statements(sql)
    bare = _blank_comments_and_strings(sql)
    for match in re.finditer(r"\bcreate\s+table\b[^;]*", bare, re.IGNORECASE):
        line = bare.count("\n", 0, match.start()) + 1
        if not re.search(r"\bcollate\s*=?\s*utf8mb4_bin\b", match.group(), re.IGNORECASE):
            faults.append((line, "a table without COLLATE utf8mb4_bin: the servers' defaults differ"))
        if not re.search(r"\bprimary\s+key\b", match.group(), re.IGNORECASE):
            faults.append((line, "a table without a primary key: row replication would scan it for every change"))
    return sorted(faults)


def faults_of_statements(sql: str) -> list[tuple[int, str]]:
    """Give line and fault for any SQL text; words in comments, strings and backquotes do not count."""
    bare = _blank_comments_and_strings(sql)
    found = [
        (match.start(), fault)
        for pattern, fault in CONSTRUCTS.items()
        for match in re.finditer(pattern, bare, re.IGNORECASE | re.DOTALL)
    ]
    in_place = {position for match in RESERVED_IN_PLACE.finditer(bare) for position in range(*match.span())}
    for match in re.finditer(r"\b[a-z_]\w*\b", bare, re.IGNORECASE):
        word = match.group().lower()
        if word in RESERVED and match.start() not in in_place:
            found.append((match.start(), f"{word} is reserved by MySQL 8: quote it with backquotes or rename it"))
        if len(word) > MAX_IDENTIFIER:
            found.append((match.start(), f"{word} is longer than {MAX_IDENTIFIER} characters"))
    return sorted((bare.count("\n", 0, position) + 1, fault) for position, fault in found)


def statements_in_python(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of the string literals of a module that begin as SQL statements do."""
    nodes = list(ast.walk(ast.parse(source)))
    pieces = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else " x " for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            text = node.value
        else:
            continue
        if _VERB.match(text):
            yield node.lineno, text


def _blank_comments_and_strings(sql: str) -> str:
    """Replace comments, strings and quoted names by spaces; line breaks stay, so that positions stay true."""
    pattern = r"--[^\n]*|#[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`"
    return re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match.group()), sql, flags=re.DOTALL)
