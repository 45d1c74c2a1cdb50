"""Drivers: trace."""
