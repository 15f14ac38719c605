//! What both buses promise.

mod groups;
mod model;
mod order;
