"""Simulators: trace."""
