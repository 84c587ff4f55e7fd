"""One stage on an agent that has the commit, the DVC remote and the lock fragments of what the stage needs."""
