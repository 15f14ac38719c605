//! Lab orders and results as HL7 v2 over MLLP.
