//! Consent-checked, pseudonymised export: Parquet, CSV, code book.
