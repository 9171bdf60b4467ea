"""The keyword arguments that every stack passes on to ``cdk.Stack``, typed so that a misspelt one is caught."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import aws_cdk as cdk


class StackOptions(TypedDict, total=False):
    """Options of ``cdk.Stack`` that an environment decides; used as ``**options: Unpack[StackOptions]``.

    ``env`` may leave the account open: no stack of this project looks anything up at synth.
    ``tags`` reach every resource of the stack. ``termination_protection`` refuses ``cdk destroy`` until it is off.
    """

    env: cdk.Environment
    description: str
    stack_name: str
    tags: Mapping[str, str]
    termination_protection: bool
    synthesizer: cdk.IStackSynthesizer
