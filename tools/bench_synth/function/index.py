"""What every function of the bare peer runs: nothing."""


def handler(_event: object, _context: object) -> dict[str, str]:
    """Answer."""
    return {}
