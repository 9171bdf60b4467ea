"""One CloudFormation stack per file; the only place that joins constructs and charts."""
