"""What computes: torch on CPU, torch on CUDA."""
