"""Judges one look at a conversation: what of it does not add up. Pure."""

from typing import Literal

from gochat_repo.loss_audit import Look

Fault = Literal["rows_missing", "row_beyond", "seq_went_back", "change_beyond", "cursor_beyond"]


def faults_of(look: Look) -> tuple[Fault, ...]:
    """Name what does not add up; numbers are unique by their key, so as many rows as numbers leave no gap."""
    found: list[Fault] = []
    if look.last_seq < look.checked_seq:
        found.append("seq_went_back")
    if look.rows < look.checked_seq - look.audited_seq:
        found.append("rows_missing")
    if look.greatest_seq > look.last_seq:
        found.append("row_beyond")
    if look.greatest_change > look.last_change:
        found.append("change_beyond")
    if look.members_beyond:
        found.append("cursor_beyond")
    return tuple(found)
