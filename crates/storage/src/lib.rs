//! Everything the hub remembers, on diesel.
