"""Code of the Lambda function that reads where clients find the brokers; `handler` runs there, not here."""
