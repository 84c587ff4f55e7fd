"""What the user wrote: the classes of `pipegen.yaml`, reading with line and column, writing, checks,
grammar."""
