"""What is proven with the real chart: every environment, and every line in both modes with everything switched on."""

from __future__ import annotations

import functools
from typing import Any

from charts.context import ReleaseContext
from settings import Environment, available, load_environment, parse_environment
from settings.releases import ADVISORIES, RELEASE_LINES

_CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/00000000-0000-0000-0000-000000000000"


@functools.cache
def cases() -> dict[str, Environment]:
    """Return the environments by name: those of ``environments/``, and the made-up ones of the matrix."""
    found = {name: load_environment(name) for name in available()}
    for line, release in RELEASE_LINES.items():
        for mode in ("cluster", "standalone"):
            found[f"line-{line}-{mode}"] = _made_up(line, mode, {"kind": "msk"})
            if release.woodpecker != "no":
                queue = {"kind": "woodpecker", "preview": release.woodpecker == "preview"}
                found[f"line-{line}-{mode}-woodpecker"] = _made_up(line, mode, queue)
    for line in ("2.3", "2.6"):  # of each generation of the chart, with names that it makes others of
        found[f"line-{line}-names"] = _made_up(
            line,
            "cluster",
            {"kind": "msk"},
            namespace="vectors",
            release_name="blue",
            image_repository="registry.example.com/milvus",
            tools_image_repository="registry.example.com/tools",
            etcd={"image_repository": "registry.example.com/etcd"},
            attu={
                "exposure": "internal",
                "certificate_arn": _CERTIFICATE,
                "image_repository": "registry.example.com/attu",
            },
            configuration={"quotaAndLimits": {"limits": {"maxCollectionNum": 7}}},
        )
    return found


def _made_up(line: str, mode: str, queue: dict[str, Any], **milvus: object) -> Environment:
    release = RELEASE_LINES[line]
    components = release.components if mode == "cluster" else ("standalone",)
    replicas = 2 if mode == "cluster" else 1
    # Attu of 2.3 has no image for arm64.
    family = "6i" if line == "2.3" else "7g"
    return parse_environment(
        {
            "name": f"milvus-{line.replace('.', '-')}",
            "region": "eu-west-1",
            "cluster": {
                "version": "1.36",
                "node_groups": {
                    "general": {
                        "instance_types": [f"m{family}.2xlarge"],
                        "min_size": 3,
                        "desired_size": 3,
                        "max_size": 3,
                    },
                    "milvus": {
                        "instance_types": [f"r{family}.2xlarge"],
                        "desired_size": 3,
                        "max_size": 3,
                        "taints": [{"key": "role", "value": "milvus"}],
                    },
                },
            },
            "queue": queue,
            "milvus": {
                "line": line,
                "mode": mode,
                "acknowledge": [advisory.name for advisory in ADVISORIES if advisory.fix(line) is None],
                "node_group": "milvus",
                "components": {
                    name: {"replicas": replicas, "cpu": 1.5, "cpu_request": 0.5, "memory_gib": 2.5}
                    for name in components
                },
                "attu": {"exposure": "internal", "certificate_arn": _CERTIFICATE},
                "service_monitor": True,
                **milvus,
            },
        },
        source=f"line {line}, {mode}",
    )


def context(env: Environment) -> ReleaseContext:
    """Return what stacks would hand in: made up, and always the same."""
    msk = env.queue.kind == "msk"
    secret = f"arn:aws:secretsmanager:{env.region}:111122223333:secret:"
    return ReleaseContext(
        region=env.region,
        url_suffix="amazonaws.com",
        bucket=f"{env.name}-data",
        role_arn="arn:aws:iam::111122223333:role/milvus",
        secrets_role_arn="arn:aws:iam::111122223333:role/milvus-secrets",
        broker_list="b-1.example.com:9096,b-2.example.com:9096,b-3.example.com:9096" if msk else None,
        kafka_secret_arn=f"{secret}AmazonMSK_{env.name}-AbCdEf" if msk else None,
        root_secret_arn=f"{secret}{env.name}-root-AbCdEf" if env.milvus.authorization else None,
    )
