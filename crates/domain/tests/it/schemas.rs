//! The schema files are what the types say. `UPDATE_CONTRACTS=1` writes them again.

use std::{collections::BTreeSet, fs};

use crate::{catalogue, contracts, files};

#[test]
fn the_schemas_are_those_of_the_types() {
    let update = std::env::var_os("UPDATE_CONTRACTS").is_some();
    let mut expected = BTreeSet::new();
    for contract in catalogue::all() {
        let file = contract.file();
        let path = contracts("schemas").join(&file);
        let text = format!(
            "{}\n",
            serde_json::to_string_pretty(&contract.schema).expect("JSON")
        );
        if update {
            fs::write(&path, &text).expect("written");
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "{file} is not what the type says: UPDATE_CONTRACTS=1 writes it again; then see contracts/README.md"
        );
        expected.insert(file);
    }
    let there: BTreeSet<String> = files("schemas").into_iter().collect();
    let left: Vec<_> = there.difference(&expected).collect();
    assert!(left.is_empty(), "schemas without a type: {left:?}");
}

#[test]
fn every_schema_is_one_and_says_what_it_is_for() {
    for contract in catalogue::all() {
        let file = contract.file();
        assert!(jsonschema::meta::is_valid(&contract.schema), "{file}");
        let described = contract.schema["description"]
            .as_str()
            .is_some_and(|text| text.len() > 10);
        assert!(described, "{file} has no description");
        for (field, schema) in contract.schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let told =
                schema["description"].as_str().is_some() || schema["$ref"].as_str().is_some();
            assert!(told, "{file}: {field} is not described");
        }
    }
}
