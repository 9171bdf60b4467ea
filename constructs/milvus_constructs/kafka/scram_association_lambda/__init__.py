"""Code of the Lambda function that associates a SCRAM secret with an MSK cluster; `handler` runs there, not here."""
