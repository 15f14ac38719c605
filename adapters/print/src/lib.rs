//! Letters through the print vendor: mail jobs as packages over SFTP, status files back.
//!
//! A job is one ZIP file in the vendor's `in/`. It is written under a name that the vendor does not
//! look at and renamed when it is whole, so that the rename is the moment at which a letter is with
//! the vendor. A letter's id is its command's id; the vendor keeps a receipt per letter, and both
//! together answer the question of what became of a letter (`whereabouts`). The protocol in full, and
//! why no letter is printed twice, is in the crate's README.

mod account;
mod adapter;
mod config;
mod error;
mod letters;
mod package;
mod recall;
mod receive;
mod status;
mod whereabouts;

pub use adapter::Print;
pub use config::{Colour, Config, Envelope, Postage, Sides};
