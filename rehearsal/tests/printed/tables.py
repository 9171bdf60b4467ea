"""What the pages leave open: values of placeholders, edits between commands, and what cannot run here, and why."""

from __future__ import annotations

from settings import output_keys

ACCOUNT, REGION = "222222222222", "us-east-2"
ENV, NAME = "mine", "milvus-mine"
ADMINISTRATOR, BY_HAND = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("platform", "by-hand"))

# In this order: what a person reads as one word is one.
PLACEHOLDERS = {
    "--env NAME": f"--env {ENV}",
    "aws://ACCOUNT/REGION": f"aws://{ACCOUNT}/{REGION}",
    "--region REGION": f"--region {REGION}",
    "name NAME": f"name {NAME}",
    "--confirm NAME": f"--confirm {NAME}",
    "BOUNDARY": "boundary",
    "--principal-arn ROLE": f"--principal-arn {BY_HAND}",
}
# What stands for each of several.
EACH = {"--stack-name STACK": [f"--stack-name {NAME}-{part}" for part in ("network", "storage", "streaming", "eks")]}
# What is known only when the environment stands: the output that `ops endpoints` shows.
LOOKED_UP = {"--secret-id ARN": output_keys.ROOT_SECRET_ARN}

# What a person answers who is asked; nothing else may ask.
ANSWERS = {
    f"make destroy ENV={ENV}": "y",
    "cdk deploy -c pipeline=pipeline milvus-delivery": "y",
}

# The pages in the order in which somebody needs them, and what waits until all pages are read.
ORDER = (
    "README.md",
    "docs/sizing.md",
    "docs/operations.md",
    "docs/security.md",
    "docs/delivery.md",
    "docs/architecture.md",
    "docs/cost.md",
    "docs/upgrade.md",
    "docs/troubleshooting.md",
    "docs/destroy.md",
)
LAST = (
    f"python -m ops destroy --env {ENV} --confirm NAME",
    f"python -m ops destroy --env {ENV} --confirm NAME --leftovers",
    f"make destroy ENV={ENV}",
)

_SUITE = "a test suite, and no suite runs inside another: .ci/run runs it"
_INSTALLS = "installs from the package registries for minutes: `make setup`, which runs here, takes the same lock files"
_KUBERNETES = "no Kubernetes runs here, whose API answers `ops status` alone: `make rehearse-full` has a real one"
_MILVUS = "the load balancer's address leads nowhere here: `make rehearse` and `make rehearse-full` ask a Milvus"
# Shell patterns over commands as they are printed, in one line and without comments.
CANNOT_RUN = {
    "make rehearse*": _SUITE,
    "make test": _SUITE,
    "make check": _SUITE,
    "make check test synth": f"{_SUITE}, as `make test-edits`",
    "pytest": _SUITE,
    "python3 -m venv .venv": _INSTALLS,
    "pip install -r requirements.txt": _INSTALLS,
    "npm ci": _INSTALLS,
    "pipx install .": "needs pipx and a registry; tests/unit/test_ops_installed.py installs the package",
    "milvus-ops status *": "is there after `pipx install .`; tests/unit/test_ops_installed.py runs it",
    "kubectl *": _KUBERNETES,
    "for member in *kubectl *": _KUBERNETES,
    "before=$(kubectl *": _KUBERNETES,
    "until *kubectl *": _KUBERNETES,
    "python -m ops smoke *": _MILVUS,
    "python -m ops root-password *": _MILVUS,
    "export MILVUS_URI=...*": "leaves the address open, and has nothing to ask",
    "python -m ops rebalance *": "asks brokers, which are records here: rehearsal/tests/real/test_rebalance.py",
    "python -m ops destroy * --data *": "nothing is retained of dev; tests/unit/test_ops_destroy.py names what is",
    "python -m ops cost --refresh": "AWS's Price List API is not in the account: tests/unit/test_ops_cost_refresh.py",
    "aws codepipeline rollback-stage *": "the account makes no executions of pipelines",
    "aws cloudformation continue-update-rollback *": "no stack is left half-way: `make test-changes` makes one",
}
