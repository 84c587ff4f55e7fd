"""Whether what was made can be trusted: gates over metrics, waivers, declared checks, and JUnit as servers read it."""
