"""IAM of the embedded account: who may do what is decided as AWS decides it, by the emulator's engine, corrected."""

from rehearsal.account.authority.install import install

__all__ = ["install"]
