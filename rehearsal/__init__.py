"""The embedded AWS account and the real parts that prove a deployment on one machine."""
