//! What a network does on its rounding paths: one path, random paths, reachable values.
