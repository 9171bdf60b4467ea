"""Policies of AWS IAM, derived from the templates: `python -m tools.iam.policies`."""
