"""Where an environment's brokers are, and who may sign in."""

from __future__ import annotations

from dataclasses import dataclass, field

from ops.errors import usage_error
from ops.milvus.secret import token_from_secret
from ops.stacks import outputs_of, read_stacks, require_deployed
from settings import Environment, output_keys


@dataclass(frozen=True)
class Login:
    """Address and user of the brokers."""

    bootstrap: str
    username: str
    password: str = field(repr=False)


def read_login(env: Environment) -> Login:
    """Return them from the outputs of the stacks and the secret of Milvus's user.

    Raises:
        OpsError: The environment has no brokers, is not deployed, or AWS cannot be read.
    """
    if env.queue.kind != "msk":
        raise usage_error(
            setting="queue.kind", value=env.queue.kind, allowed="msk", remedy="There are no brokers to move anything to"
        )
    stacks = read_stacks(env)
    require_deployed(env, stacks)
    outputs = outputs_of(stacks)
    username, _, password = token_from_secret(outputs[output_keys.KAFKA_SECRET_ARN]).partition(":")
    return Login(bootstrap=outputs[output_keys.BOOTSTRAP_BROKERS], username=username, password=password)
