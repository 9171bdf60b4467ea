"""Exports that another stack imports: CloudFormation neither changes nor removes one, and rolls the update back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Outputs = tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]


def require_unused(
    stack_id: str,
    before: Mapping[str, Mapping[str, str]],
    after: Mapping[str, Mapping[str, str]],
    users: Callable[[str], Iterable[str]],
) -> None:
    """Refuse an update that takes from others what they import.

    Args:
        stack_id: of the stack that is updated.
        before: every export of the account.
        after: what the stack would export.
        users: gives the names of the other stacks that import an export.

    Raises:
        ValueError: CloudFormation's message.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
    """
    for name, export in before.items():
        if export["StackId"] != stack_id or (name in after and after[name]["Value"] == export["Value"]):
            continue
        if by := ", ".join(users(name)):
            verb = "updated" if name in after else "deleted"
            raise ValueError(f"Export {name} cannot be {verb} as it is in use by {by}")


def install(stacks: Any, handlers: Any, account: Any) -> None:
    """Look at the outputs of every stack before they are published.

    Args:
        stacks: the emulator's module that deploys.
        handlers: its module that answers requests.
        account: its package, which holds the exports and stacks.
    """
    resolve: Callable[..., Outputs] = stacks._resolve_stack_outputs

    def resolved(*arguments: Any) -> Outputs:
        outputs, exports = resolve(*arguments)
        name, stack_id = arguments[-2:]

        def users(export: str) -> list[str]:
            return [
                other
                for other, stack in account._stacks.items()
                if other != name
                and not stack["StackStatus"].startswith("DELETE")
                and export in handlers._imported_export_names(stack, other)
            ]

        require_unused(stack_id, account._exports, exports, users)
        return outputs, exports

    stacks._resolve_stack_outputs = resolved
