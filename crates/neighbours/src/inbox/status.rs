//! GetMessageThreadStatus 2. Its schema is not public: the words below the namespace are our best
//! reading, the same as in the messaging adapter's `thread_status.rs`.

use halsonav_rivta::{Answer, Contract, Request, SoapFault, xml};

use super::{
    Office,
    wire::{Way, bad},
};

pub(super) const CONTRACT: Contract = Contract::new(
    "urn:riv-application:infrastructure:eservicesupply:patientportal",
    "GetMessageThreadStatus",
    2,
);

pub(super) fn answer(office: &Office, request: &Request, way: Way) -> Answer {
    let ns = CONTRACT.message_namespace();
    let root = request.element()?;
    let thread = root.require_text(&ns, "messageThreadId").map_err(bad)?;
    if way == Way::Refuse {
        return Err(SoapFault::client("Inkorg: kan inte svara"));
    }
    let state = office.state();
    let known = state.threads.contains_key(thread);
    let read = state.read.get(thread);
    let named = if way == Way::Astray {
        "another-thread"
    } else {
        thread
    };
    Ok(xml::document(
        "r:GetMessageThreadStatusResponse",
        &[("r", &ns)],
        |w| {
            if known {
                w.element("r:messageThread", |w| {
                    w.text("r:messageThreadId", named);
                    w.flag("r:read", read.is_some());
                    w.optional("r:readTime", read.map(|at| xml::timestamp(*at)).as_deref());
                });
            }
            w.text("r:resultCode", "OK");
        },
    ))
}
