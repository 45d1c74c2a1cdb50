"""A rule that does not hold."""


class Broken(Exception):  # noqa: N818  what is said of somebody else, not a failure of ours
    """Its text says what was seen."""
