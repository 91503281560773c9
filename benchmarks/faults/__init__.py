"""Faults that the service must stand, each with a broken twin that must be found."""
