"""Running the graph on this machine: in parallel, with DVC's effects, a log per stage and live progress."""
