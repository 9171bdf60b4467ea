"""Destroys an environment stack by stack, and lists or removes what is left of it."""

from ops.destroy.work import Outcome, look, work

__all__ = ["Outcome", "look", "work"]
