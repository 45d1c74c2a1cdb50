"""Every asyncio test runs in virtual time, unless it is marked `real`."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.virtual_loop import VirtualTimeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real") is not None:
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}
