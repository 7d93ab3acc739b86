"""The twin's node ports: who would answer there."""

from __future__ import annotations

from laerecover.hosts.identity import INTRODUCER_PORT, STORAGE_PORT
from laerecover.ports.refusals import Refusal, Transient
from laerecover.rehearsal.twin.world import TwinFile

_SERVICES = {INTRODUCER_PORT: "introducer", STORAGE_PORT: "storageserver"}


class TwinProbe:
    """NodeProbe over the twin's file: a node of a living instance answers, for its own tub alone."""

    def __init__(self, file: TwinFile) -> None:
        self._file = file

    def tub_id(self, public_host: str, port: int, *, wanted: str) -> str:
        """As TahoeProbe, for a node that is started, where the security group lets this runner in."""
        with self._file.change() as db:
            row = db.execute(
                "SELECT tub_id FROM services JOIN instances USING (instance_id)"
                " WHERE public_host = ? AND name = ? AND state = 'running'",
                (public_host, _SERVICES.get(port, "")),
            ).fetchone()
        if not self._file.reachable(port):
            raise Transient(f"{public_host}:{port} does not answer: timed out")
        if row is None:
            raise Transient(f"{public_host}:{port} does not answer: connection refused")
        if row["tub_id"] != wanted:
            raise Refusal(f"{public_host}:{port} does not know that tub", kind="no_tub")
        return wanted
