"""How long a test waits for what must come, before it takes it for hung.

No claim: how soon something comes is claimed by numbers of its own. It is long, since a computer that is busy with other
tests is no counter-example, and only a test that fails waits for so long.
"""

from typing import Final

PATIENCE: Final = 120.0
"""Seconds."""
