"""The run IDs that CheckTrap generates."""

from __future__ import annotations

import uuid

from healthchecks_io import CheckTrap, Client


def test_a_generated_run_id_is_a_random_uuid_in_canonical_form() -> None:
    rids = [CheckTrap(Client(), "u").rid for _ in range(100)]

    assert rids == [str(uuid.UUID(rid)) for rid in rids]
    assert {(uuid.UUID(rid).version, uuid.UUID(rid).variant) for rid in rids} == {(4, uuid.RFC_4122)}
    assert len(set(rids)) == 100
