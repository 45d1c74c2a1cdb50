"""Pure data: what a device said, what it is, what went wrong. No I/O, no clock, no numpy."""
