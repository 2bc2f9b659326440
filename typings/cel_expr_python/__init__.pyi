"""Stub of the one module that is used."""
