"""Drivers: endoscope."""
