"""The commands of `python -m ops`, one per file."""
