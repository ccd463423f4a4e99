"""A host in as many copies as there are ways to count, all of the same shape."""
