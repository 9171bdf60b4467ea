"""Code of the Lambda function that refuses changes of settings; `handler` runs there, not here."""
