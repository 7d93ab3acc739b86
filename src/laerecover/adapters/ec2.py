"""Compute on EC2, by boto3."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from laerecover.ports import Instance, LaunchRequest, NotFound, Refusal, Transient
from laerecover.settings import Settings
from laerecover.text import clean

P = ParamSpec("P")
T = TypeVar("T")

_NOT_FOUND = ("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")
_THROTTLED = ("RequestLimitExceeded", "Throttling", "ThrottlingException", "EC2ThrottledException")
_TROUBLE = ("InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable")
_QUOTA = ("VcpuLimitExceeded", "InstanceLimitExceeded", "MaxSpotInstanceCountExceeded")


def _told(method: Callable[P, T]) -> Callable[P, T]:
    """boto3's errors in the words of the port."""

    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
        from botocore.parsers import ResponseParserError

        try:
            return method(*args, **kwargs)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            text = clean(f"EC2 says {code}: {error.response.get('Error', {}).get('Message', '')}")
            if code in _NOT_FOUND:
                raise NotFound(text) from None
            if code in _THROTTLED or code in _TROUBLE:
                raise Transient(text, kind="throttled") from None
            kind = {"IdempotentParameterMismatch": "idempotent_mismatch", "InsufficientInstanceCapacity": "capacity"}
            raise Refusal(text, kind="quota" if code in _QUOTA else kind.get(code, "ec2_refused")) from None
        except ParamValidationError:
            raise Refusal("EC2 would not take these parameters", kind="ec2_refused") from None
        except (BotoCoreError, ResponseParserError) as error:
            # A page of some proxy instead of EC2's answer is no answer.
            raise Transient(f"EC2 was not reached: {type(error).__name__}") from None

    return wrapped


class Ec2Compute:
    """One client, shared by all threads, with adaptive retries."""

    def __init__(self, settings: Settings) -> None:
        import boto3
        from botocore.config import Config

        self._client: Any = boto3.session.Session().client(
            "ec2",
            region_name=settings.region,
            endpoint_url=settings.endpoint,
            aws_access_key_id=settings.ec2_access_key_id,
            aws_secret_access_key=settings.ec2_secret_key.reveal(),
            config=Config(retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=10, read_timeout=60),
        )

    @_told
    def launch(self, request: LaunchRequest) -> Instance:
        """RunInstances of exactly one, tags in the same call, IMDSv2 only."""
        wanted: dict[str, Any] = {
            "ImageId": request.ami_image_id,
            "InstanceType": request.instance_size,
            "KeyName": request.admin_keypair_name,
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": request.client_token,
            "MetadataOptions": {"HttpTokens": "required"},
            "TagSpecifications": [
                {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in sorted(request.tags.items())]}
            ],
        }
        # A group in a VPC goes by its id; the default network still takes the name of 2012.
        group = "SecurityGroupIds" if request.security_group.startswith("sg-") else "SecurityGroups"
        wanted[group] = [request.security_group]
        if request.subnet:
            wanted["SubnetId"] = request.subnet
        if request.user_data is not None:
            wanted["UserData"] = request.user_data.reveal()
        return _instance(self._client.run_instances(**wanted)["Instances"][0])

    @_told
    def describe(self, instance_id: str) -> Instance:
        """DescribeInstances of one id."""
        found = self._client.describe_instances(InstanceIds=[instance_id])["Reservations"]
        instances = [i for reservation in found for i in reservation["Instances"]]
        if not instances:
            raise NotFound(f"EC2 does not know {clean(instance_id)}")
        return _instance(instances[0])

    @_told
    def find(self, tags: Mapping[str, str]) -> Sequence[Instance]:
        """DescribeInstances by tags, all pages."""
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in sorted(tags.items())]
        pages = self._client.get_paginator("describe_instances").paginate(Filters=filters)
        return [
            _instance(i) for page in pages for reservation in page["Reservations"] for i in reservation["Instances"]
        ]


def _instance(answer: Mapping[str, Any]) -> Instance:
    return Instance(
        instance_id=str(answer["InstanceId"]),
        state=str(answer["State"]["Name"]),
        launch_time=answer["LaunchTime"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        public_host=answer.get("PublicIpAddress") or None,
        private_host=answer.get("PrivateDnsName") or None,
        tags={str(tag["Key"]): str(tag["Value"]) for tag in answer.get("Tags", [])},
    )
