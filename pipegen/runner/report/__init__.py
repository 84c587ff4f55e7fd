"""What a run is reported as: brought together from fragments, records, results of gates, git and what is here."""
