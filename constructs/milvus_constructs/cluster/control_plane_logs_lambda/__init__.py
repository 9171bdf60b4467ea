"""Code of the Lambda function that looks after the control plane's log group; `handler` runs there, not here."""
