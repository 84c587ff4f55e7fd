"""From a run to a version, and from a version to what is in service: register, promote, roll back, fetch."""
