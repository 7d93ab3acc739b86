"""leave_evidence: the next disaster can start from what this recovery leaves."""

from __future__ import annotations

from laerecover.errors import StepFailed
from laerecover.evidence_out import Recovered, leave
from laerecover.runbook.values import APPEND, BOUNCE, DEPLOY, WAIT, EvidenceLeft
from laerecover.runbook.work import Work


def leave_evidence(work: Work) -> EvidenceLeft:
    """Log, secrets file and csv rows of the new server, into the folder that `--evidence-out` names.

    Fails: `no_identity` if bounce_server kept none.
    """
    kept = work.vault.load(work.account.account_id)
    if not {"furl", "introducer_node_pem", "server_node_pem"} <= kept.keys():
        raise StepFailed("bounce_server kept no identity of the new server", kind="no_identity")
    deployed, addresses, bounced = work.values_of(DEPLOY), work.values_of(WAIT), work.values_of(BOUNCE)
    server = Recovered(
        account=work.account,
        recovery_id=work.recovery_id,
        instance_id=deployed.instance_id,
        launch_time=deployed.launch_time,
        public_host=addresses.public_host,
        private_host=addresses.private_host,
        recorded_at=work.values_of(APPEND).recorded_at,
        endpoint=work.settings.ec2.endpoint or f"https://ec2.{work.settings.ec2.region}.amazonaws.com/",
        ami_image_id=work.settings.image_of(work.account),
        instance_size=deployed.size or work.settings.size_of(work.account),
        keypair_name=work.settings.config.admin_keypair_name,
        introducer_restored=bounced.introducer_restored,
        storage_restored=bounced.storage_restored,
        kept=kept,
    )
    work.point("before-act")
    log_file, secrets_file = leave(work.settings.evidence_out, server)
    work.point("after-act")
    return EvidenceLeft(log_file=log_file, secrets_file=secrets_file)
