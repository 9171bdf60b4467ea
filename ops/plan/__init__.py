"""What a deployment of a settings file would do to what is deployed."""

from ops.plan.changes import Change, Plan, make_plan
from ops.plan.deployed import Deployed, read_deployed
from ops.plan.markdown import markdown

__all__ = ["Change", "Deployed", "Plan", "make_plan", "markdown", "read_deployed"]
