"""Code of a Lambda function: looks after objects of a cluster with kubectl.

Imports the standard library only, and `settings.rollout`, which is put beside it.
"""
