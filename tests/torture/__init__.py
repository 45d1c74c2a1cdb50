"""The journal under power cuts and faults of the disk."""
