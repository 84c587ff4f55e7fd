"""What people look at: drawings of the graph, the plan as a page of text."""
