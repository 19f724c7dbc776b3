"""Scenarios and networks that run as shipped."""
