"""leave_evidence: the next disaster can start from what this recovery leaves."""

from __future__ import annotations

from laerecover.errors import StepFailed
from laerecover.runbook.evidence_out import Recovered, leave
from laerecover.runbook.work import Values, Work


def leave_evidence(work: Work) -> Values:
    """Log, secrets file and csv rows of the new server, into the folder that `--evidence-out` names.

    Values: log_file, secrets_file, below that folder. Fails: `no_identity` if bounce_server kept none.
    """
    kept = work.vault.load(work.account.account_id)
    if not {"furl", "introducer_node_pem", "server_node_pem"} <= kept.keys():
        raise StepFailed("bounce_server kept no identity of the new server", kind="no_identity")
    deployed = work.known["deploy_ec2_instance"]
    server = Recovered(
        account=work.account,
        recovery_id=work.recovery_id,
        instance_id=work.known_of("deploy_ec2_instance", "instance_id"),
        launch_time=work.known_of("deploy_ec2_instance", "launch_time"),
        public_host=work.known_of("wait_for_ec2_addresses", "public_host"),
        private_host=work.known_of("wait_for_ec2_addresses", "private_host"),
        recorded_at=work.known_of("append_record", "recorded_at"),
        endpoint=work.settings.ec2.endpoint or f"https://ec2.{work.settings.ec2.region}.amazonaws.com/",
        ami_image_id=deployed.get("ami_image_id") or work.settings.image_of(work.account),
        instance_size=deployed.get("instance_size") or work.settings.size_of(work.account),
        keypair_name=work.settings.config.admin_keypair_name,
        introducer_restored=bool(work.known["bounce_server"]["introducer_restored"]),
        storage_restored=bool(work.known["bounce_server"]["storage_restored"]),
        kept=kept,
    )
    work.point("before-act")
    left = leave(work.settings.evidence_out, server)
    work.point("after-act")
    return dict(left)
