//! The files a region's system would drop: the list of listed residents, and a population to play with.

use std::{fs, path::Path};

use halsonav_domain::{Kind, PersonId, Problem};

use super::{population::Resident, state::unusable};

/// Writes the list, as the roster adapter's README has it; under a name of its own until it is whole.
///
/// # Errors
/// `HUB-DEMO-003` when it cannot be written.
pub fn write(people: &[Resident], path: &Path) -> Result<(), Problem> {
    let mut text = String::from("person_id;unit_hsa_id;language\n");
    for person in people {
        text.push_str(&format!(
            "{};{};{}\n",
            person.person_id, person.unit, person.language
        ));
    }
    let temporary = path.with_extension("csv.part");
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|error| unusable(path, &error))
}

/// Reads a population: one JSON object a line.
///
/// # Errors
/// `HUB-DEMO-005` names the line and what is wrong with it, never what it says.
pub fn read(path: &Path) -> Result<Vec<Resident>, Problem> {
    let text = fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
    let bad = |line: usize, what: &str| {
        Problem::new(
            Kind::Invalid,
            "HUB-DEMO-005",
            format!("line {line}: {what}"),
        )
    };
    let mut people = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (n, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let person: Resident =
            serde_json::from_str(line).map_err(|error| match error.classify() {
                serde_json::error::Category::Data => {
                    bad(n + 1, "a field is missing, unknown or of the wrong shape")
                }
                _ => bad(n + 1, "not a JSON object"),
            })?;
        PersonId::parse(&person.person_id).map_err(|error| bad(n + 1, &error.to_string()))?;
        if !seen.insert(person.person_id.clone()) {
            return Err(bad(n + 1, "the number stands on an earlier line"));
        }
        people.push(person);
    }
    Ok(people)
}
