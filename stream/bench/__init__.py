"""What a machine reaches: figures, stopwatches around the parts of a loop, the table."""
