//! Sets every template of a folder with sample data, to look at:
//! `cargo run -p halsonav-document --example letters -- config/base/letters OUT [DATA.json]`
//!
//! With DATA.json its keys are laid over the sample's.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use halsonav_document::{Options, Templates, sample};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(folder), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("wanted: FOLDER OUT [DATA.json]".into());
    };
    let over = arguments.next().map(fs::read_to_string).transpose()?;
    let over: serde_json::Map<String, serde_json::Value> =
        over.map_or(Ok(Default::default()), |t| serde_json::from_str(&t))?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "typ") {
            files.push((name(&path), fs::read_to_string(&path)?));
        }
    }
    let names: Vec<String> = files
        .iter()
        .map(|(name, _)| name.trim_end_matches(".typ").to_owned())
        .collect();
    let templates = Templates::load(files, Vec::new()).map_err(|faults| {
        faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    fs::create_dir_all(&out)?;
    for stem in names {
        let (template, language) = stem.split_once('.').unwrap_or((&stem, "sv"));
        let Some(mut data) = sample::of(template) else {
            continue;
        };
        if let Some(map) = data.as_object_mut() {
            map.extend(over.clone());
        }
        let options = Options {
            language: language.to_owned(),
            ..Options::new("2026-03-02".parse()?)
        };
        match templates.render(template, &data, &options) {
            Ok(pdf) => {
                println!("{stem}: {} pages, {} bytes", pdf.pages, pdf.bytes.len());
                fs::write(Path::new(&out).join(format!("{stem}.pdf")), pdf.bytes)?;
            }
            Err(error) => println!("{stem}: {}: {error}", error.code()),
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
