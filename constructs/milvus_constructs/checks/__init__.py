"""What of cdk-nag's findings is accepted, and why."""
