//! The binary `halsonav`.
fn main() {}
