"""A signer that Signlight renders itself: hands, scenes and clips with exact truth."""
