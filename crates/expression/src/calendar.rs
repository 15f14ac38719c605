//! Time as it is lived in Sweden: durations, cycles, moments, holidays and working days.
//!
//! Nothing here reads a clock.

mod cycle;
mod duration;
mod holiday;
mod moment;
mod zone;

pub use cycle::Cycle;
pub use duration::Duration;
pub(crate) use duration::shorten;
pub use holiday::{add_working_days, holiday, is_working_day, next_working_day, working_day_from};
pub use moment::moment;
pub use zone::stockholm;
