//! The resources, one file each.

pub(crate) mod audit;
pub(crate) mod bookings;
pub(crate) mod cases;
pub(crate) mod cohorts;
pub(crate) mod definitions;
pub(crate) mod documents;
pub(crate) mod facts;
pub(crate) mod forms;
pub(crate) mod health;
pub(crate) mod identity;
pub(crate) mod incidents;
pub(crate) mod lanes;
pub(crate) mod measurements;
pub(crate) mod messages;
pub(crate) mod operations;
pub(crate) mod records;
pub(crate) mod research;
pub(crate) mod rounds;
pub(crate) mod search;
pub(crate) mod statistics;
pub(crate) mod work_items;
pub(crate) mod work_result;

use actix_web::web::ServiceConfig;

/// All handlers. A test holds them against the table of roles and the OpenAPI document.
pub(crate) fn configure(config: &mut ServiceConfig) {
    reading(config);
    config
        .service(facts::decline)
        .service(facts::opt_out)
        .service(facts::consent)
        .service(measurements::measurements)
        .service(forms::answer)
        .service(bookings::book)
        .service(messages::message)
        .service(operations::suspend)
        .service(operations::resume)
        .service(operations::cancel)
        .service(operations::variables)
        .service(work_items::claim)
        .service(work_items::release)
        .service(work_result::complete)
        .service(incidents::retry)
        .service(incidents::skip)
        .service(lanes::stop)
        .service(lanes::start)
        .service(cohorts::import)
        .service(research::export);
}

/// What a process shows of itself.
pub(crate) fn monitoring(config: &mut ServiceConfig) {
    config
        .service(health::live)
        .service(health::ready)
        .service(health::metrics);
}

fn reading(config: &mut ServiceConfig) {
    monitoring(config);
    config
        .service(health::contract)
        .service(rounds::units)
        .service(rounds::list)
        .service(rounds::one)
        .service(rounds::ledger)
        .service(rounds::funnel)
        .service(statistics::statistics)
        .service(cohorts::list)
        .service(cases::list)
        .service(search::search)
        .service(cases::one)
        .service(identity::who)
        .service(records::list)
        .service(records::profile)
        .service(documents::picture)
        .service(documents::list)
        .service(documents::one)
        .service(bookings::slots)
        .service(work_items::list)
        .service(work_items::one)
        .service(incidents::list)
        .service(incidents::one)
        .service(lanes::list)
        .service(definitions::list)
        .service(definitions::one)
        .service(definitions::picture)
        .service(audit::list)
        .service(audit::verify)
        .service(audit::extract);
}
