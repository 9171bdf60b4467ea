"""Examines an account: reads its facts, and lets every check judge them."""

from __future__ import annotations

from ops.doctor.checks import findings
from ops.doctor.findings import Report, blocks
from ops.doctor.reader import ClientFactory, Reader
from ops.errors import OpsError
from settings import Environment


def examine(env: Environment, *, file: str | None, qualifier: str, clients: ClientFactory) -> Report:
    """Return all that an account says to an environment.

    Args:
        env: The environment, in the region where it is to be.
        file: Name of its file, by which pipelines know it; None where it is none of environments/.
        qualifier: Qualifier of the bootstrap.
        clients: Makes the boto3 client of a service in that region.
    """
    try:
        facts = Reader(env, clients).facts(qualifier=qualifier)
    except OpsError as error:
        problem = error.problem[0].upper() + error.problem[1:]
        alone = blocks("account", problem, why="Nothing else can be looked at", remedy=error.remedy)
        return Report(environment=env.name, region=env.region, account="", findings=(alone,))
    found = findings(env, facts, file=file, qualifier=qualifier)
    return Report(environment=env.name, region=env.region, account=facts.account, findings=found)
