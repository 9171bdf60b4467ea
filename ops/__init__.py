"""The day-2 command line: `python -m ops --help`."""
