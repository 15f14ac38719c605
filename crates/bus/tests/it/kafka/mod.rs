//! Kafka alone.

mod broker;
mod flow;
mod frozen;
mod leaving;
mod mock;
mod partitions;
mod rebalance;
mod restart;
mod secure;
mod settings;
mod slow;
mod topics;
mod trouble;
