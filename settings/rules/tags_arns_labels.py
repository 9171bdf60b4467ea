"""Rules of tags, ARNs and labels: what AWS refuses, most of it only once other resources have been built."""

from __future__ import annotations

from collections.abc import Iterator

from settings.base import Problem, Rule
from settings.environment import Environment
from settings.regions import partitions

# AWS takes 50 for a resource, and some carry up to ten of this application, of CDK and EKS: names, roles of subnets.
# https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
_MOST_TAGS = 40
# https://github.com/eksctl-io/eksctl/issues/4007
_LABELS_OF_EKS = ("kubernetes.io", "k8s.io", "eks.amazonaws.com")


def _number_of_tags(env: Environment) -> Iterator[Problem]:
    """Refuse tags that leave no room for those of the resources themselves."""
    if len(env.tags) > _MOST_TAGS:
        yield Problem(
            "tags",
            f"at most {_MOST_TAGS}, got {len(env.tags)}: AWS takes 50 for a resource, and some carry their own; "
            "remove some",
        )


def _labels_of_nodes(env: Environment) -> Iterator[Problem]:
    """Refuse labels that EKS keeps for itself."""
    for name, group in env.cluster.node_groups.items():
        for key in group.labels:
            domain = key.rpartition("/")[0]
            if any(domain == taken or domain.endswith(f".{taken}") for taken in _LABELS_OF_EKS):
                yield Problem(
                    f"cluster.node_groups.{name}.labels",
                    f"{key}: EKS takes no label of {', '.join(_LABELS_OF_EKS)}; use a key of your own, such as role",
                )


def _places_of_arns(env: Environment) -> Iterator[Problem]:
    """Refuse ARNs of another partition, and of another region where the resource has to be in this one."""
    partition = partitions()[env.region]
    for path, arn, regional in _arns(env):
        _, theirs, _, region, *_ = arn.split(":")
        if theirs != partition:
            yield Problem(
                path, f"{arn} is of partition {theirs}, {env.region} of {partition}; use one of arn:{partition}:..."
            )
        elif regional and region != env.region:
            yield Problem(
                path, f"{arn} is of region {region}; it has to be in {env.region}, like the resource that uses it"
            )


def _arns(env: Environment) -> Iterator[tuple[str, str, bool]]:
    """Yield the path of each ARN, the ARN, and whether its resource has to be in the environment's region."""
    for arn in env.cluster.admin_role_arns:
        yield "cluster.admin_role_arns", arn, False
    if env.cluster.volume_key_arn:
        yield "cluster.volume_key_arn", env.cluster.volume_key_arn, True
    if env.storage.existing:
        yield "storage.existing.key_arn", env.storage.existing.key_arn, True
    service, attu = env.milvus.service, env.milvus.attu
    if service.certificate_arn:
        yield "milvus.service.certificate_arn", service.certificate_arn, True
    if attu.certificate_arn:
        yield "milvus.attu.certificate_arn", attu.certificate_arn, True
    if attu.oidc:
        yield "milvus.attu.oidc.client_secret_arn", attu.oidc.client_secret_arn, True
    if attu.cognito:
        yield "milvus.attu.cognito.user_pool_arn", attu.cognito.user_pool_arn, False


RULES: tuple[Rule, ...] = (_number_of_tags, _labels_of_nodes, _places_of_arns)
