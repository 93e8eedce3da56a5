"""What models reach: the processor's own limit, maps against it, DINO's own way beside ours."""
