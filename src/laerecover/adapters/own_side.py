"""The operator's own side as it is on this machine: keys, settings, environment, clock, mail server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from laerecover.adapters.aws import make_client
from laerecover.adapters.key_files import try_key
from laerecover.adapters.key_pairs import try_key_pair
from laerecover.adapters.smtp import SmtpMailer
from laerecover.ports.own_side import ASCII_MAIL, CLOCK, CLOUD_KEY, Seen
from laerecover.ports.refusals import WorldError
from laerecover.text import clean, reason_of

if TYPE_CHECKING:
    from laerecover.settings import Settings

_SKEW = 240.0
"""EC2 refuses what was signed five minutes ago."""
_CHANGING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
_PLACES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
_ENDPOINT = "AWS_ENDPOINT_URL"
_NO_KEY = ("InvalidClientTokenId", "SignatureDoesNotMatch", "AuthFailure", "UnrecognizedClientException")
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy")


class RealOwnSide:
    """What these settings name, in this environment."""

    def __init__(self, settings: Settings, environment: Mapping[str, str] | None = None) -> None:
        self._settings, self._environment = settings, os.environ if environment is None else environment

    def look(self) -> Sequence[Seen]:
        """See OwnSide."""
        mine = [*self._keys(), *self._places(), *self._surroundings()]
        return [*mine, *self._cloud(), try_key_pair(self._settings), *self._mail()]

    def _keys(self) -> Iterator[Seen]:
        s = self._settings.config
        yield try_key(s.admin_privkey_path, "key of the admin")
        yield try_key(s.monitor_privkey_path, "key of monitor", pair=s.monitor_pubkey)
        if s.zenoss_privkey_path:
            yield try_key(s.zenoss_privkey_path, "key of zenoss")

    def _places(self) -> Iterator[Seen]:
        ec2 = self._settings.ec2
        said = f"{ec2.region} at {_host(ec2.endpoint, ec2.region)}"
        yield Seen(what="EC2", where="ec2.region, ec2.endpoint", said=said)
        store = self._settings.recipe.s3_endpoint or "Amazon's own"
        yield Seen(what="S3", where="recipe.s3_endpoint", said=clean(store))

    def _surroundings(self) -> Iterator[Seen]:
        """What in the environment would send boto3 elsewhere is not heeded; a proxy is, for there may be no other way.

        Values may hold passwords, so none is told but the proxy's host.
        """
        for name in sorted(self._environment):
            if name in _CHANGING + _PLACES or name.startswith(_ENDPOINT):
                yield Seen(what="environment", where=name, said="not heeded: the settings alone decide")
            elif name in _PROXIES and self._environment[name]:
                said = f"what is asked of the cloud goes by {clean(urlsplit(self._environment[name]).hostname or '?')}"
                yield Seen(what="environment", where=name, said=said)
        if self._environment.get("AWS_CA_BUNDLE"):
            yield Seen(what="environment", where="AWS_CA_BUNDLE", said="says whom to trust as EC2 and S3")

    def _cloud(self) -> Iterator[Seen]:
        """One question, whose answer bears a date even if it is a refusal."""
        from botocore.exceptions import BotoCoreError, ClientError

        key, where, refused = clean(self._settings.config.ec2_access_key_id), "ec2_access_key_id, ec2secret", ""
        try:
            answer: Any = make_client(self._settings, "sts").get_caller_identity()
        except ClientError as error:
            answer, refused = error.response, str(error.response.get("Error", {}).get("Code", "refused"))
        except (BotoCoreError, ValueError) as error:
            yield Seen(what=CLOUD_KEY, where=where, said=f"{key}, not tried: {reason_of(error)}")
            return
        clock = _clock(answer)
        yield clock
        if not refused:
            yield Seen(what=CLOUD_KEY, where=where, said=f"{key}, of account {clean(str(answer['Account']))}")
        elif not clock.blocks and refused in _NO_KEY:
            remedy = "name the access key and the file of its secret key that the cloud account gave you"
            yield Seen(what=CLOUD_KEY, where=where, said=f"{key}: {clean(refused)}", remedy=remedy, blocks=True)
        else:
            yield Seen(what=CLOUD_KEY, where=where, said=f"{key}: {clean(refused)}")

    def _mail(self) -> Iterator[Seen]:
        s = self._settings.mail
        where = f"mail.host, mail.port, mail.security: {clean(s.host)}:{s.port}, {s.security}"
        try:
            said, utf8 = SmtpMailer(s).proved()
        except WorldError as error:
            remedy = "mend [mail] in the settings; recoveries go on without, but no mail goes out"
            yield Seen(what="mail server", where=where, said=clean(str(error)), remedy=remedy)
            return
        yield Seen(what="mail server", where=where, said=said)
        if not utf8:
            yield Seen(what=ASCII_MAIL, where=where, said="it offers no SMTPUTF8")


def _host(endpoint: str | None, region: str) -> str:
    return clean(endpoint or f"https://ec2.{region}.amazonaws.com")


def _clock(answer: Mapping[str, Any]) -> Seen:
    where = "this machine's, against EC2's"
    try:
        theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError, TypeError):
        return Seen(what=CLOCK, where=where, said="not known: the answer bears no date")
    ahead = (datetime.now(UTC) - theirs).total_seconds()
    said = f"{abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
    if abs(ahead) < _SKEW:
        return Seen(what=CLOCK, where=where, said=said)
    remedy = "set the clock (timedatectl set-ntp true), then run again: what is signed with a wrong time is refused"
    return Seen(what=CLOCK, where=where, said=said, remedy=remedy, blocks=True)
