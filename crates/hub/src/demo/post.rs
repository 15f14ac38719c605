//! The print vendor's days and the postal service.

use std::io;

use halsonav_domain::{Problem, Timestamp};

use super::{agenda::{Act, Agenda}, residents::Residents, staff::Staff, world::World};
use crate::runtime::Core;

/// Letters on their way.
#[derive(Default)]
pub struct Post {}

impl Post {
    /// The vendor fetches on weekdays.
    pub fn plan(&mut self, _: &Residents, _: &mut Agenda, _: Timestamp) {}

    /// What the vendor has handed to the post since the last look.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look(&mut self, _: &World, _: &Core, _: &Residents, _: &Staff, _: &mut Agenda) -> Result<(), Problem> { Ok(()) }

    /// Fetches, delivers, returns.
    ///
    /// # Errors
    /// When the vendor's folder fails.
    pub fn act(&mut self, _: &World, _: &Residents, _: &mut Agenda, _: &Act, _: Timestamp) -> io::Result<()> { Ok(()) }
}
