"""Drivers: thermal."""
