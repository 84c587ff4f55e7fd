"""Judging the gates of a run: brings metrics and baselines, lets `quality` judge, keeps the evidence."""
