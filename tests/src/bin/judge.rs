//! The judge as a program: `judge FILE dedup|no-dedup [PORT]`. Prints where it listens, on loopback.
//! Ends with its input. What it does: `halsonav_tests::judge`.

use std::{env, io, path::PathBuf, thread};

use anyhow::{Context, Result};
use halsonav_tests::judge::{Mode, serve};

const USAGE: &str = "judge FILE dedup|no-dedup [PORT]";

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let file: PathBuf = arguments.next().context(USAGE)?.into();
    let mode = match arguments.next().as_deref() {
        Some("dedup") => Mode::Dedup,
        Some("no-dedup") => Mode::NoDedup,
        _ => anyhow::bail!(USAGE),
    };
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let (address, server) = serve(&file, mode, port)?;
    println!("{address}");
    thread::spawn(|| {
        // Whatever ends the input ends this program.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    actix_web::rt::System::new().block_on(server)?;
    Ok(())
}
