"""What a reader does between commands: edits files, and has made something in the account by hand."""

from __future__ import annotations

import json
from pathlib import Path

from rehearsal.account import EmbeddedAccount
from rehearsal.tests.printed.checkout import Checkout
from rehearsal.tests.printed.tables import ACCOUNT, ADMINISTRATOR, BY_HAND, NAME


def before_everything(account: EmbeddedAccount) -> None:
    """Make what the pages take for granted: a permissions boundary of one's own."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").create_policy(PolicyName="boundary", PolicyDocument=document)


def before(command: str, checkout: Checkout) -> None:
    """Edit what has to be edited for a command to have something to do."""
    if command == "cdk synth -c pipeline=pipeline --quiet":
        # docs/delivery.md, steps 1 and 2
        _replace(
            checkout.tree / "environments/pipeline.yaml",
            ('# account: "111111111111"', f'account: "{ACCOUNT}"'),
            ("- environment: dev", "- environment: mine"),
            ("- environment: prod\n", f'- environment: prod\n        account: "{ACCOUNT}"\n'),
            ("us-east-2:111111111111:connection/0000", f"us-east-2:{ACCOUNT}:connection/abcd"),
            ("your-organization/milvus-on-eks", "ours/vectors"),
        )
    if command.endswith(" --confirm NAME --leftovers"):
        # EKS makes it again where the cluster's last events come late.
        checkout.account.client("logs").create_log_group(logGroupName=f"/aws/eks/{NAME}/cluster")
    if command.startswith("aws eks delete-access-entry"):
        checkout.account.client("eks").create_access_entry(clusterName=NAME, principalArn=BY_HAND)
    if command.startswith("npx cdk deploy milvus-mine-milvus --exclusively"):
        _replace(checkout.tree / "environments/mine.yaml", ("proxy: {replicas: 1,", "proxy: {replicas: 2,"))


def after(command: str, checkout: Checkout) -> None:
    """Edit what a command has made."""
    if command == "cp environments/dev.yaml environments/mine.yaml":
        # README.md, Deploy, 1
        administrator = f"\n  admin_role_arns: [{ADMINISTRATOR}]"
        _replace(
            checkout.tree / "environments/mine.yaml",
            ("name: milvus-dev", f"name: {NAME}"),
            ("region: us-east-2", f'region: us-east-2\naccount: "{ACCOUNT}"'),
            ("cluster:", f"cluster:{administrator}"),
        )
    if "--cloudformation-execution-policies" in command:
        # docs/delivery.md, step 3
        for name in ("mine", "pipeline"):
            bounded = "permissions_boundary: milvus-boundary\nregion: us-east-2"
            _replace(checkout.tree / f"environments/{name}.yaml", ("\nregion: us-east-2", f"\n{bounded}"))


def _replace(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, (path.name, old)
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
