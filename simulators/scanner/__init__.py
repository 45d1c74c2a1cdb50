"""Simulators: scanner."""
