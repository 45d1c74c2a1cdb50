"""The head of a rule file: which version of the rules it is, who wrote it, and why."""

from pydantic import Field

from devicehub.tomlfile.section import Section

SAID = r"\S"
"""Something that is not only white space."""


class RulesConfig(Section):
    """What a change of rules needs; see `devicehub.config.rules`."""

    version: int = Field(ge=1, le=1_000_000_000, description="Of these rules; a change needs one above the last")
    author: str = Field(pattern=SAID, max_length=128, description="Who answers for this version")
    reason: str = Field(pattern=SAID, max_length=1024, description="Why this version differs from the last")
