"""Simulators: thermal."""
