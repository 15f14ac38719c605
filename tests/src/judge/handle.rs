//! A judge that runs beside a test.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

use super::{Behaviour, Mode, Verdict, ledger, read};

/// A running judge. It ends when this is dropped or the test's process ends.
#[derive(Debug)]
pub struct Judge {
    program: PathBuf,
    file: PathBuf,
    mode: Mode,
    address: SocketAddr,
    child: Child,
}

impl Judge {
    /// Starts it on a free loopback port. `program` is `env!("CARGO_BIN_EXE_judge")` of a test.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path, file: &Path, mode: Mode) -> Result<Self> {
        let (child, address) = run(program, file, mode, 0)?;
        Ok(Self {
            program: program.to_owned(),
            file: file.to_owned(),
            mode,
            address,
            child,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it behaves so, also after it was killed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn behave(&self, behaviour: &Behaviour) -> Result<()> {
        let path = ledger::behaviour_of(&self.file);
        let new = path.with_added_extension("new");
        fs::write(&new, serde_json::to_vec(behaviour)?)?;
        Ok(fs::rename(new, path)?)
    }

    /// What happened so far, from its file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn verdict(&self) -> Result<Verdict> {
        Ok(Verdict::of(read(&self.file)?))
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again on the same port and file, after [`Judge::kill`].
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        (self.child, _) = run(&self.program, &self.file, self.mode, self.address.port())?;
        Ok(())
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.kill();
    }
}

fn run(program: &Path, file: &Path, mode: Mode, port: u16) -> Result<(Child, SocketAddr)> {
    let mode = match mode {
        Mode::Dedup => "dedup",
        Mode::NoDedup => "no-dedup",
    };
    let mut child = Command::new(program)
        .arg(file)
        .args([mode, &port.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| program.display().to_string())?;
    let mut told = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut told)?;
    }
    let address = told.trim().parse().context("the judge does not start")?;
    Ok((child, address))
}
