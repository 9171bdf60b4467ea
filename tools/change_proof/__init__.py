"""Proof of what settings declare about their change: two syntheses, compared as AWS, Helm and Kubernetes would."""
