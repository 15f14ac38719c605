//! FEEL expressions and DMN decisions behind a small, fenced trait.
