"""What computes: OpenVINO on CPU; torch on CPU, Apple GPUs and CUDA."""
