"""What is written of moments and stretches, one file a format."""
