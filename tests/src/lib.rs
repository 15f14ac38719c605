//! What the tests of the whole house share, and the programs of `bin/` that prove what the hub
//! promises. See also `tidy/`, `scenarios/` and `it/` beside this folder, and `run`, which runs
//! everything.

pub mod simulation;
