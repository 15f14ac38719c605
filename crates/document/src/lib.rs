//! Letters, paper forms and profile sheets as PDF/A and PDF/UA from templates.
