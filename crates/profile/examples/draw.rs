//! Draws a profile: `cargo run -p halsonav-profile --example draw -- INSTRUMENT.toml INPUTS.json > profile.svg`

use std::error::Error;
use std::{env, fs};

use halsonav_profile::{Inputs, Instrument, score, svg};

fn main() -> Result<(), Box<dyn Error>> {
    let mut names = env::args().skip(1);
    let (Some(table), Some(inputs)) = (names.next(), names.next()) else {
        return Err("wanted: INSTRUMENT.toml INPUTS.json".into());
    };
    let instrument = Instrument::load(&table, &fs::read_to_string(&table)?).map_err(|faults| {
        faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    let inputs: Inputs = serde_json::from_str(&fs::read_to_string(inputs)?)?;
    print!("{}", svg::draw(&score(&instrument, &inputs)));
    Ok(())
}
