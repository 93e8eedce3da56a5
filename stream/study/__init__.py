"""What a study shows: pictures of signs, the maps that models make of them, and their numbers."""
