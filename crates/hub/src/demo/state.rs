//! Where a run stands, so that it goes on after a `kill -9`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use halsonav_domain::{Kind, Problem, Timestamp};
use serde::{Deserialize, Serialize};

use super::Options;

/// `run.json` in the output folder.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct State {
    residents: usize,
    seed: u64,
    region: String,
    population: Option<PathBuf>,
    /// The clock, in the world's time.
    pub now: Timestamp,
    /// The round has come to its end.
    pub finished: bool,
    /// Begun by this call, not taken up.
    #[serde(skip)]
    pub fresh: bool,
}

impl State {
    /// Takes up the run that lies in the folder, or begins one at `starts`.
    ///
    /// # Errors
    /// `HUB-DEMO-002` when another, unfinished run lies there; `HUB-DEMO-003` when the folder cannot be used.
    pub fn take_up(options: &Options, starts: Timestamp) -> Result<Self, Problem> {
        let fresh = Self {
            residents: options.residents,
            seed: options.seed,
            region: options.region.clone(),
            population: options.population.clone(),
            now: starts,
            finished: false,
            fresh: false,
        };
        let path = file(&options.out);
        let earlier = fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        match earlier {
            Some(earlier) if !options.fresh && !earlier.finished => {
                if (Self {
                    now: starts,
                    ..earlier.clone()
                }) == fresh
                {
                    return Ok(earlier);
                }
                let message = "another run lies unfinished in this folder: finish it with its own options, choose another --out, or begin anew with --fresh";
                Err(Problem::new(Kind::Conflict, "HUB-DEMO-002", message))
            }
            earlier => {
                if earlier.is_some() {
                    // Only what a run made: a folder that is not a run's is never emptied.
                    fs::remove_dir_all(&options.out)
                        .map_err(|error| unusable(&options.out, &error))?;
                } else if fs::read_dir(&options.out)
                    .is_ok_and(|mut entries| entries.next().is_some())
                {
                    let message =
                        format!("{} is not empty and holds no run", options.out.display());
                    return Err(Problem::new(Kind::Conflict, "HUB-DEMO-002", message));
                }
                fs::create_dir_all(&options.out).map_err(|error| unusable(&options.out, &error))?;
                fresh.keep(&options.out)?;
                Ok(Self {
                    fresh: true,
                    ..fresh
                })
            }
        }
    }

    /// Writes it down, whole or not at all.
    ///
    /// # Errors
    /// `HUB-DEMO-003` when the folder cannot be written.
    pub fn keep(&self, out: &Path) -> Result<(), Problem> {
        let path = file(out);
        let temporary = path.with_extension("part");
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        fs::write(&temporary, bytes)
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(|error| unusable(out, &error))
    }
}

fn file(out: &Path) -> PathBuf {
    out.join("run.json")
}

/// The output folder will not do.
pub fn unusable(path: &Path, error: &dyn std::error::Error) -> Problem {
    Problem::new(
        Kind::Invalid,
        "HUB-DEMO-003",
        format!("{} cannot be used: {error}", path.display()),
    )
}
