"""Switches the judging on, in the process of the emulator."""

from __future__ import annotations

from typing import Any

from rehearsal.account.authority import resources, web_identity
from rehearsal.account.authority.deployer import Deployers
from rehearsal.account.authority.engine import Engine
from rehearsal.account.authority.stacks import Stacks


def install(app: Any, provisioners: Any) -> None:
    """Put every request, every token and every call of CloudFormation before the engine; comes after all handlers."""
    from ministack.core import iam_actions, iam_evaluator  # noqa: PLC0415 - they read the environment when imported
    from ministack.services import iam, sts  # noqa: PLC0415 - the same

    engine = Engine(iam_evaluator)
    engine.install(app)
    resources.install(iam_actions)
    web_identity.install(sts, iam)
    deployers = Deployers(engine)
    deployers.install(app)
    Stacks(engine, deployers).install(provisioners)
