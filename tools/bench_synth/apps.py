"""Synthesizes one of the compared apps in this process, and prints how long each phase took.

``python -m tools.bench_synth.apps NAME FOLDER``, where NAME is one of `NAMES`.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EMPTY, PEER, UNCHECKED, CDK8S, CDK8S_PLUS = "empty", "peer", "prod-unchecked", "cdk8s", "cdk8s-plus-27"
TUNED = "peer-tuned"
"""The peer with the Node options of ours."""
OURS = ("dev", "prod", UNCHECKED)
NAMES = (EMPTY, PEER, TUNED, *OURS, CDK8S, CDK8S_PLUS)


def builder(name: str) -> Callable[..., object]:
    """Import what an app needs, and nothing else; return what adds its stacks."""
    if name in {TUNED, *OURS}:
        import _node  # noqa: F401, PLC0415 - before aws_cdk, as in app.py
    import aws_cdk  # noqa: PLC0415 - the import is what is measured

    if name in {PEER, TUNED}:
        from tools.bench_synth import peer  # noqa: PLC0415 - the same

        return peer.build
    if name in {EMPTY, CDK8S, CDK8S_PLUS}:
        if name != EMPTY:
            import cdk8s  # noqa: F401, PLC0415 - the same
        if name == CDK8S_PLUS:
            import cdk8s_plus_27  # noqa: F401, PLC0415 - the same

        return lambda app: aws_cdk.Stack(app, name)
    import _paths  # noqa: F401, PLC0415 - before everything that imports milvus_constructs

    if name == UNCHECKED:
        from settings import load_environment  # noqa: PLC0415 - the same
        from stacks.build import build_environment  # noqa: PLC0415 - the same

        return lambda app: build_environment(app, load_environment("prod"))
    import app as ours  # noqa: PLC0415 - the same

    return ours.build


def _await_node() -> None:
    """Wait for Node, which jsii leaves alone after five seconds: only then its processor time counts as ours."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


def main() -> None:
    """Print the seconds of each phase as JSON."""
    name, folder = sys.argv[1:]
    # Registered before jsii registers what ends Node, so that it runs after that.
    atexit.register(_await_node)
    started = time.perf_counter()
    build = builder(name)
    imported = time.perf_counter()
    import aws_cdk  # noqa: PLC0415 - imported above, where its time is taken

    # The flags of a new project choose resources, so ours and the peer have the same. The empty app has none.
    # Ours is made as app.py makes it, the others as a new project does.
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    context = {**flags, "env": name} if name in {PEER, TUNED, *OURS} else {}
    app = aws_cdk.App(outdir=folder, stack_traces=False if name in OURS else None, context=context)
    build(app)
    constructed = time.perf_counter()
    app.synth()
    ended = time.perf_counter()
    phases = {"import": imported - started, "construct": constructed - imported, "synthesize": ended - constructed}
    print(json.dumps(phases))


if __name__ == "__main__":
    main()
