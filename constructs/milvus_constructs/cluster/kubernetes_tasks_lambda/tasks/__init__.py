"""Code of a Lambda function: looks after objects of a cluster with kubectl. Standard library only."""
