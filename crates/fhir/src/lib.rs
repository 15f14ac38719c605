//! The FHIR R4 resources the hub emits.
