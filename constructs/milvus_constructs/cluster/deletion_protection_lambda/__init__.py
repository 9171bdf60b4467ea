"""Code of the Lambda function that protects the cluster against its deletion; `handler` runs there, not here."""
