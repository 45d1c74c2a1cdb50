"""Drivers: scanner."""
