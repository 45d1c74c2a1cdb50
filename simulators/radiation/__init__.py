"""Simulators: radiation."""
