//! Messages in and out: one interface, the embedded durable log.
