"""What computes: torch on CPU and Apple GPUs, torch on CUDA."""
