//! 1177 Formulärhantering: forminteraction 2.
