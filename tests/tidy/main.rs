//! Structural rules of the house, as tests.
