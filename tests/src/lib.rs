//! Scenarios, end to end, crash and tidy tests of the whole house. There is no code here: see
//! `tidy/`, `scenarios/` and `it/` beside this folder, and `run`, which runs everything.
