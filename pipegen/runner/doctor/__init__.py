"""What is out of date around a pipeline: the model in production, packages, schedules, the cache."""
