//! `halsonav`: the integration hub for riktade hälsosamtal.

use std::process::ExitCode;

fn main() -> ExitCode {
    halsonav::main()
}
