//! Draws a process file: SVG on the standard output, or Mermaid with `--mermaid`.
//!
//! `cargo run -p halsonav-engine --example picture -- <file.bpmn> [--mermaid]`
#![allow(clippy::disallowed_methods, reason = "an example reads files")]

use halsonav_engine::render::{Diagram, Marks, mermaid, svg};
use halsonav_engine::{Anything, load};
use halsonav_expression::Decisions;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"))
        .ok_or("which file?")?;
    let text = std::fs::read_to_string(file)?;
    // A picture does not need the tables that its tasks call.
    let text = text.replace("decisionId=\"", "decisionId=\"=");
    let definitions = match load(&text, &Decisions::empty(), &Anything) {
        Ok(loaded) => loaded.definitions,
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            return Err("the file does not load".into());
        }
    };
    let diagram = Diagram::read(&text);
    for definition in &definitions {
        if arguments.iter().any(|argument| argument == "--mermaid") {
            print!("{}", mermaid(definition, &Marks::default()));
        } else {
            print!("{}", svg(definition, diagram.as_ref(), &Marks::default()));
        }
    }
    Ok(())
}
