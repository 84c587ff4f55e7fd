"""What a house sells for: one module per stage of the pipeline, and a few that they share."""
