//! `halsonav process check|render FILE`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Subcommand, ValueEnum};
use halsonav_domain::{Kind, Problem};
use halsonav_engine::{
    Anything, Fault, load,
    render::{self, Diagram, Marks},
};
use halsonav_expression::Decisions;
use serde_json::json;

use super::{Answer, Context, one};

/// Largest process file.
const LIMIT: u64 = 4 << 20;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say everything that is wrong with a process file: rule, element, line, advice.
    Check {
        /// A BPMN 2.0 file.
        file: PathBuf,
        /// Decision tables that it calls; those beside it under rules/ if not given.
        #[arg(long, value_name = "DMN")]
        rules: Vec<PathBuf>,
    },
    /// Draw a process file.
    Render {
        /// A BPMN 2.0 file.
        file: PathBuf,
        /// What to draw.
        #[arg(long, value_enum, default_value = "svg")]
        format: Format,
        /// Where to; standard output if not given.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// A picture.
    Svg,
    /// A Mermaid flowchart.
    Mermaid,
}

pub fn run(context: &Context, command: Command) -> Answer {
    match command {
        Command::Check { file, rules } => check(context, &file, &rules),
        Command::Render {
            file,
            format,
            output,
        } => draw(context, &file, format, output.as_deref()),
    }
}

fn check(context: &Context, file: &Path, rules: &[PathBuf]) -> Answer {
    let text = read(file).map_err(one)?;
    let decisions = tables(file, rules)?;
    let (faults, processes): (Vec<Fault>, Vec<String>) = match load(&text, &decisions, &Anything) {
        Ok(loaded) => (
            loaded.warnings,
            loaded.definitions.into_iter().map(|d| d.id).collect(),
        ),
        Err(faults) => (faults, Vec::new()),
    };
    let accepted = !processes.is_empty();
    context.output.result(
        &json!({ "accepted": accepted, "processes": processes, "faults": faults }),
        || {
            let mut lines: Vec<String> = faults
                .iter()
                .map(|fault| format!("{}:{fault}", file.display()))
                .collect();
            lines.push(match accepted {
                true => format!("accepted: {}", processes.join(", ")),
                false => "refused".to_owned(),
            });
            lines.join("\n")
        },
    );
    Ok(if accepted {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn draw(context: &Context, file: &Path, format: Format, output: Option<&Path>) -> Answer {
    let text = read(file).map_err(one)?;
    let decisions = tables(file, &[])?;
    let definitions = load(&text, &decisions, &Anything)
        .map_err(|faults| {
            faults
                .iter()
                .map(|fault| crate::definitions::problem(&file.display().to_string(), fault))
                .collect::<Vec<_>>()
        })?
        .definitions;
    let diagram = Diagram::read(&text);
    let marks = Marks::default();
    let pictures: Vec<String> = definitions
        .iter()
        .map(|definition| match format {
            Format::Svg => render::svg(
                definition,
                diagram.as_ref().filter(|_| definitions.len() == 1),
                &marks,
            ),
            Format::Mermaid => render::mermaid(definition, &marks),
        })
        .collect();
    let picture = pictures.join("\n");
    match output {
        Some(path) => {
            fs::write(path, &picture).map_err(|error| one(unreadable(path, "written", &error)))?;
            context
                .output
                .result(&json!({ "file": path }), || path.display().to_string());
        }
        None => context
            .output
            .result(&json!({ "picture": picture }), || picture.clone()),
    }
    Ok(ExitCode::SUCCESS)
}

fn tables(file: &Path, given: &[PathBuf]) -> Result<Decisions, Vec<Problem>> {
    let mut paths = given.to_vec();
    if paths.is_empty() {
        let beside = file.parent().unwrap_or(Path::new(".")).join("rules");
        let found = fs::read_dir(beside)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        paths.extend(found.filter(|path| path.extension().is_some_and(|ending| ending == "dmn")));
        paths.sort();
    }
    let mut texts = Vec::new();
    for path in &paths {
        texts.push((path.display().to_string(), read(path).map_err(one)?));
    }
    let pairs: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    Decisions::load(&pairs).map_err(|faults| {
        faults
            .iter()
            .map(|f| Problem::new(Kind::Invalid, "HUB-RULES-001", f.to_string()))
            .collect()
    })
}

fn read(path: &Path) -> Result<String, Problem> {
    let size = fs::metadata(path)
        .map_err(|error| unreadable(path, "read", &error))?
        .len();
    if size > LIMIT {
        return Err(Problem::new(
            Kind::Invalid,
            "HUB-PROCESS-004",
            format!("{} is larger than 4 MiB", path.display()),
        ));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, "read", &error))?;
    String::from_utf8(bytes).map_err(|_| {
        Problem::new(
            Kind::Invalid,
            "HUB-PROCESS-005",
            format!("{} is not UTF-8", path.display()),
        )
    })
}

fn unreadable(path: &Path, what: &str, error: &std::io::Error) -> Problem {
    Problem::new(
        Kind::NotFound,
        "HUB-PROCESS-006",
        format!("{} cannot be {what}: {error}", path.display()),
    )
}
