"""Versions of models and where they serve, as git tags in the convention of GTO say it."""
