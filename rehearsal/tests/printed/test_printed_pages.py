"""What the pages print is typed word for word, in the order of a reader, into one account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.targets import raised_quotas
from rehearsal.tests.printed import edits
from rehearsal.tests.printed.checkout import Checkout
from rehearsal.tests.printed.pages import Block, bare, blocks, pages
from rehearsal.tests.printed.tables import (
    ACCOUNT,
    ANSWERS,
    CANNOT_RUN,
    EACH,
    ENV,
    LAST,
    LOOKED_UP,
    NAME,
    ORDER,
    PLACEHOLDERS,
    REGION,
)
from settings import load_environment
from tests.source_copies import needs_tools

pytestmark = [pytest.mark.printed, needs_tools]


def in_order() -> list[Block]:
    """Return the blocks in which something can run: page after page, and at the end what ends everything."""
    printed = [block for page in pages() for block in blocks(page)]
    late: dict[str, Block] = {}
    first = []
    for block in sorted(printed, key=lambda block: (ORDER.index(block.page), block.line)):
        now = tuple(command for command in block.commands if not cannot_run(command))
        if any(bare(command) in LAST for command in now):
            late[bare(now[0])] = Block(block.page, block.line, now)
        elif now:
            first.append(Block(block.page, block.line, now))
    return first + [late[command] for command in LAST]


def cannot_run(command: str) -> bool:
    return any(fnmatchcase(bare(command), pattern) for pattern in CANNOT_RUN)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("printed")
    # GIVEN a new account, with the quotas that the doctor tells a person to ask for
    options = AccountOptions(
        run_dir=folder / "account", account_id=ACCOUNT, region=REGION, quotas=raised_quotas(load_environment("dev"))
    )
    with EmbeddedAccount(options) as account:
        edits.before_everything(account)
        yield Checkout(folder, account)


def filled_in(command: str, checkout: Checkout) -> list[str]:
    """Return a command with the values of a person: more than one where each of several is meant."""
    for placeholder, value in PLACEHOLDERS.items():
        command = command.replace(placeholder, value)
    for placeholder, key in LOOKED_UP.items():
        if placeholder in command:
            command = command.replace(placeholder, f"{placeholder.split()[0]} {output(checkout, key)}")
    for placeholder, values in EACH.items():
        if placeholder in command:
            return [command.replace(placeholder, each) for each in values]
    return [command]


def output(checkout: Checkout, key: str) -> str:
    (stack,) = checkout.account.client("cloudformation").describe_stacks(StackName=f"{NAME}-milvus")["Stacks"]
    return next(str(each["OutputValue"]) for each in stack["Outputs"] if each["OutputKey"] == key)


@pytest.mark.parametrize("block", in_order(), ids=str)
def test_printed_commands_pass_word_for_word(block: Block, checkout: Checkout) -> None:
    for command in block.commands:
        edits.before(bare(command), checkout)
    # WHEN a person types what is printed, in one terminal
    typed = [each for command in block.commands for each in filled_in(command, checkout)]
    answers = [ANSWERS[bare(command)] for command in block.commands if bare(command) in ANSWERS]
    outcome = checkout.type(typed, answer=answers[0] if answers else None)
    # THEN each ends well, and without a question that the page does not announce
    assert outcome.code == 0, f"{block}\n" + "\n".join(typed) + f"\n\n{outcome.output}"
    for command in block.commands:
        edits.after(bare(command), checkout)
        for pattern, check in CHECKS.items():
            if fnmatchcase(bare(command), pattern):
                check(checkout)


def bootstrapped_with_our_policies(checkout: Checkout) -> None:
    role = f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
    attached = checkout.account.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert sorted(each["PolicyName"] for each in attached) == [
        f"milvus-execution-{name}" for name in ("bounded", "cluster", "data", "network")
    ]


def everything_is_gone(checkout: Checkout) -> None:
    stacks = checkout.account.client("cloudformation").describe_stacks()["Stacks"]
    alive = {each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"}
    assert alive == {"CDKToolkit", "milvus-delivery"}


def no_log_group_of_the_cluster_is_left(checkout: Checkout) -> None:
    found = checkout.account.client("logs").describe_log_groups(logGroupNamePrefix="/aws/eks/")["logGroups"]
    assert found == []


def manifests_are_written(checkout: Checkout) -> None:
    assert list(Path(checkout.tree / "dist" / ENV).glob("*.yaml"))


CHECKS: dict[str, Callable[[Checkout], None]] = {
    "cdk bootstrap * --cloudformation-execution-policies *": bootstrapped_with_our_policies,
    "make manifests ENV=mine": manifests_are_written,
    "python -m ops destroy --env mine --confirm NAME": everything_is_gone,
    "python -m ops destroy --env mine --confirm NAME --leftovers": no_log_group_of_the_cluster_is_left,
}
