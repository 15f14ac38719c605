//! Documentation to the journal system as a FHIR R4 document bundle.
