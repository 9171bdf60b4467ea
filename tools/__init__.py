"""Generators and proofs for developers, called as modules: `python -m tools.docs.settings_reference`."""
