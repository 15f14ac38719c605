//! Code systems, and the codes the hub knows. Where a code is not known the value goes out with
//! its text only: a wrong code is worse than none.

use crate::{CodeableConcept, Coding, Quantity, narrative::clean};

/// System of identifiers that are URIs.
pub const URI: &str = "urn:ietf:rfc:3986";
/// HSA-id (HL7 Sweden base profiles 1.1).
pub const HSA: &str = "urn:oid:1.2.752.29.4.19";
/// NPU and the Swedish local codes under the same root.
pub const NPU: &str = "urn:oid:1.2.752.108.1";
/// KVÅ, classification of measures in care.
pub const KVA: &str = "urn:oid:1.2.752.116.1.3.2.1.4";
/// LOINC.
pub const LOINC: &str = "http://loinc.org";
/// SNOMED CT.
pub const SNOMED: &str = "http://snomed.info/sct";
/// UCUM.
pub const UCUM: &str = "http://unitsofmeasure.org";
/// Kinds of journal notes (`clinicalDocumentNoteCode`).
pub const NOTE: &str = "urn:oid:1.2.752.129.2.2.2.11";
/// Categories of observations.
pub const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
/// Settings of encounters.
pub const SETTING: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// Why a value is absent.
pub const ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";

/// Systems of the Swedish personal identity numbers (HL7 Sweden base profiles 1.1).
pub const PERSONNUMMER: &str = "http://electronichealth.se/identifier/personnummer";
/// Coordination numbers.
pub const SAMORDNINGSNUMMER: &str = "http://electronichealth.se/identifier/samordningsnummer";
/// National reserve numbers.
pub const RESERVNUMMER: &str = "http://electronichealth.se/identifier/nationelltReservnummer";

/// Blood pressure as a panel.
#[must_use]
pub fn blood_pressure() -> CodeableConcept {
    concept("Blodtryck", "85354-9", "75367002")
}

/// A measurement at the visit, by the vocabulary's word; `None` for a word that is not one.
#[must_use]
pub fn measurement(word: &str) -> Option<CodeableConcept> {
    Some(match word {
        "height" => concept("Längd", "8302-2", "50373000"),
        "weight" => concept("Vikt", "29463-7", "27113001"),
        "waist" => concept("Midjemått", "8280-0", "276361009"),
        "hip" => concept("Höftmått", "62409-8", "284472007"),
        "systolic" => concept("Systoliskt blodtryck", "8480-6", "271649006"),
        "diastolic" => concept("Diastoliskt blodtryck", "8462-4", "271650006"),
        _ => return None,
    })
}

/// Without displays: they must be the system's own to the letter, and the text is what is read.
fn concept(text: &str, loinc: &str, snomed: &str) -> CodeableConcept {
    CodeableConcept::new(
        text,
        vec![
            Coding::new(LOINC, loinc, None),
            Coding::new(SNOMED, snomed, None),
        ],
    )
}

/// An analysis by its NPU or Swedish local code, with a Swedish name where it is a common one.
/// `None` when the code is neither.
#[must_use]
pub fn analysis(code: &str) -> Option<CodeableConcept> {
    let digits = code
        .strip_prefix("NPU")
        .or_else(|| code.strip_prefix("SWE"))?;
    if digits.len() != 5 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let text = match code {
        "NPU27300" => "B-HbA1c",
        "NPU02195" => "fP-Glukos",
        "NPU02192" => "P-Glukos",
        "NPU01566" => "P-Kolesterol",
        "NPU01567" => "P-HDL-kolesterol",
        "NPU01568" => "P-LDL-kolesterol",
        "NPU04094" => "P-Triglycerider",
        "NPU03620" => "fP-Triglycerider",
        _ => code,
    };
    Some(CodeableConcept::new(
        text,
        vec![Coding::new(NPU, code, None)],
    ))
}

/// A measure by its KVÅ code.
#[must_use]
pub fn measure(code: &str) -> Option<CodeableConcept> {
    let code = clean(code)?;
    if code.len() > 16 || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let habit = match code.get(..4) {
        Some("DV11") => "tobak",
        Some("DV12") => "alkohol",
        Some("DV13") => "fysisk aktivitet",
        Some("DV14") => "matvanor",
        _ => "",
    };
    let form = match code.get(4..) {
        Some("1") => "Enkla råd",
        Some("2") => "Rådgivande samtal",
        Some("3") => "Kvalificerat rådgivande samtal",
        _ => "",
    };
    let text = if habit.is_empty() || form.is_empty() {
        code.clone()
    } else {
        format!("{form} om {habit}")
    };
    Some(CodeableConcept::new(
        &text,
        vec![Coding::new(KVA, code, None)],
    ))
}

/// An amount with its unit as written, and as UCUM when the unit is one we know.
#[must_use]
pub fn quantity(value: f64, unit: &str, comparator: Option<&str>) -> Quantity {
    let ucum = ucum(unit.trim());
    Quantity {
        value,
        comparator: comparator.map(str::to_owned),
        unit: clean(unit),
        system: ucum.map(|_| UCUM.to_owned()),
        code: ucum.map(str::to_owned),
    }
}

/// The UCUM code of a unit as Swedish systems write it.
#[must_use]
pub fn ucum(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "mm[Hg]" | "mmHg" | "mm Hg" => "mm[Hg]",
        "cm" => "cm",
        "m" => "m",
        "kg" => "kg",
        "g" => "g",
        "%" => "%",
        "1" | "kvot" => "1",
        "kg/m2" | "kg/m²" | "kg/m^2" => "kg/m2",
        "mmol/L" | "mmol/l" => "mmol/L",
        "umol/L" | "µmol/L" | "μmol/L" | "µmol/l" | "umol/l" => "umol/L",
        "nmol/L" | "nmol/l" => "nmol/L",
        "pmol/L" | "pmol/l" => "pmol/L",
        "mmol/mol" => "mmol/mol",
        "mg/mmol" => "mg/mmol",
        "g/L" | "g/l" => "g/L",
        "mg/L" | "mg/l" => "mg/L",
        "mg/dL" => "mg/dL",
        "ukat/L" | "µkat/L" | "μkat/L" => "ukat/L",
        "mU/L" | "mIE/L" => "m[IU]/L",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_gets_no_code() {
        assert!(measurement("temperature").is_none());
        for code in ["NPU2730", "NPU2730O", "27300", "", "NPU273000", "SWEåäö1"] {
            assert!(analysis(code).is_none(), "{code}");
        }
        assert!(analysis("SWE05074").is_some());
        assert!(measure("DV 132").is_none());
        assert_eq!(quantity(1.0, "streck", None).system, None);
        assert_eq!(quantity(1.0, "mmHg", None).code.as_deref(), Some("mm[Hg]"));
    }

    #[test]
    fn measures_have_names() {
        let text = |code| measure(code).and_then(|concept| concept.text);
        assert_eq!(
            text("DV132").as_deref(),
            Some("Rådgivande samtal om fysisk aktivitet")
        );
        assert_eq!(text("DV139").as_deref(), Some("DV139"));
        assert_eq!(text("QV001").as_deref(), Some("QV001"));
    }
}
