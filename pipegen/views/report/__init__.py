"""The report of a run: as a page, as text, as a letter and as a comment."""
