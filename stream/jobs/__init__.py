"""What the program can be asked to do with a source, from opening it to the exit code."""
