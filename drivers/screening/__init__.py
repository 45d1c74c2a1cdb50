"""Drivers: radiation."""
