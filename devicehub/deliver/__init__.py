"""From journal and board to the broker, and what comes back: acknowledgements, refusals, receipts."""

from devicehub.deliver.delivery import Delivery
from devicehub.deliver.stage import Hooks

__all__ = ["Delivery", "Hooks"]
