//! The contracts, as a strict producer answers them.

use std::sync::Arc;

use halsonav_domain::{HsaId, Timestamp};
use halsonav_rivta::{
    Contract, Request, ServerBuilder, SoapFault, handler,
    xml::{Element, Writer, date, document, parse_date, timestamp},
};

use super::{
    Office,
    desk::{Desk, Entry, Form, Query, Status},
    template::{Answer, Input, Question, Template},
};
use crate::faults::Fault;

const DOMAIN: &str = "urn:riv:infrastructure:eservicesupply:forminteraction";
const TYPES: &str = "urn:riv:infrastructure:eservicesupply:forminteraction:2";
/// Requests in one CreateFormRequest.
const BATCH: usize = 1000;

type Reply = Result<String, SoapFault>;
type Operation = fn(&Office, &Element) -> Reply;

const OPERATIONS: [(&str, Operation); 4] = [
    ("CreateFormRequest", create_form_request),
    ("GetForm", get_form),
    ("GetForms", get_forms),
    ("CancelForm", cancel_form),
];

pub(super) fn operations(mut builder: ServerBuilder, office: &Arc<Office>) -> ServerBuilder {
    for (name, operation) in OPERATIONS {
        let office = Arc::clone(office);
        let answer = handler(move |request| {
            let reply = answer(&office, name, operation, &request);
            office.wiretap.hear(&request, &reply);
            async move { reply }
        });
        builder = builder.operation(&Contract::new(DOMAIN, name, 2), answer);
    }
    builder
}

fn answer(office: &Office, name: &'static str, operation: Operation, request: &Request) -> Reply {
    let carry_out = || {
        if HsaId::new(&request.logical_address) != office.voice.engine {
            return Err(SoapFault::client(
                "the LogicalAddress is not this form engine",
            ));
        }
        operation(office, &request.element()?)
    };
    match office.faults.take() {
        None => carry_out(),
        Some(Fault::LoseAnswer) => carry_out().and(Err(SoapFault::silence())),
        Some(Fault::DropRequest) => Err(SoapFault::silence()),
        Some(Fault::Technical) => Err(SoapFault::server(
            "Tekniskt fel. Logg-id 4f1c6a3e-0000-4000-8000-000000000000",
        )),
        Some(Fault::Logical) => Ok(response(name, |w| {
            if !name.starts_with("Get") {
                w.text("r:comment", "Åtgärden kunde inte utföras.");
                w.text("r:resultCode", "ERROR");
            }
        })),
        Some(Fault::Garbage) => Err(SoapFault::noise()),
        Some(Fault::WrongAnswer) => {
            carry_out().map(|_| response("SaveForm", |w| w.text("r:resultCode", "OK")))
        }
    }
}

fn response(name: &'static str, content: impl FnOnce(&mut Writer)) -> String {
    let contract = Contract::new(DOMAIN, name, 2);
    let ns = contract.message_namespace();
    document(
        &format!("r:{}", contract.response_element()),
        &[("r", &ns), ("c", TYPES)],
        content,
    )
}

/// All or nothing: a request with a fault in it places no form at all.
fn create_form_request(office: &Office, root: &Element) -> Reply {
    let ns = root.ns.to_string();
    let requests: Vec<_> = root.all(&ns, "formRequests").collect();
    if requests.is_empty() || requests.len() > BATCH {
        return Err(SoapFault::client("formRequests must be between 1 and 1000"));
    }
    let now = office.clock.now();
    let placed = office.change(|desk| {
        let numbered = (desk.len() + 1..).zip(requests);
        numbered
            .map(|(n, request)| new_form(desk, request, n, now).map(|form| Entry::Created { form }))
            .collect()
    });
    let entries = match placed.map_err(|_| SoapFault::server("the form could not be stored"))? {
        Ok(entries) => entries,
        Err(No::Fault(fault)) => return Err(fault),
        Err(No::Comment(comment)) => {
            return Ok(response("CreateFormRequest", |w| {
                w.text("r:comment", comment);
                w.text("r:resultCode", "ERROR");
            }));
        }
    };
    Ok(response("CreateFormRequest", |w| {
        for entry in &entries {
            let Entry::Created { form } = entry else {
                continue;
            };
            w.element("r:formRequestResponses", |w| {
                w.optional("c:clinicalProcessInterestId", form.interest.as_deref());
                w.text("c:formId", &form.id);
                w.text("c:healthcare_facility_CareUnit", form.unit.as_str());
                w.text("c:subjectOfCare", &form.person);
            });
        }
        w.text("r:resultCode", "OK");
    }))
}

/// Why no form is placed.
enum No {
    Fault(SoapFault),
    Comment(&'static str),
}

fn new_form(desk: &Desk, request: &Element, number: usize, now: Timestamp) -> Result<Form, No> {
    let fault = |error| No::Fault(client(error));
    let text = |name| request.text_of(TYPES, name);
    let day = |name| match text(name) {
        None => Ok(None),
        Some(text) => parse_date(text)
            .map(Some)
            .ok_or_else(|| No::Fault(SoapFault::client(format!("{name} is not a date")))),
    };
    request.require_text(TYPES, "expireDate").map_err(fault)?;
    let expires = day("expireDate")?.ok_or(No::Comment("Sista svarsdag saknas."))?;
    // keepUntil must be there, but may be empty: until further notice (TKB).
    request.require(TYPES, "keepUntil").map_err(fault)?;
    let keep_until = day("keepUntil")?;
    let unit = HsaId::new(
        request
            .require_text(TYPES, "healthcare_facility_CareUnit")
            .map_err(fault)?,
    );
    let id = request.require_text(TYPES, "templateId").map_err(fault)?;
    let version = text("templateVersion").map(str::parse).transpose();
    let version =
        version.map_err(|_| No::Fault(SoapFault::client("templateVersion is not a number")))?;
    let template = desk
        .template(id, version)
        .ok_or(No::Comment("Mallen finns inte."))?;
    let person = text("subjectOfCare").ok_or(No::Comment("Mallen kan inte användas anonymt."))?;
    if super::local_date(now).is_none_or(|today| expires < today) {
        return Err(No::Comment("Sista svarsdag har passerat."));
    }
    Ok(Form {
        id: format!("7d7c0b9e-0000-4000-8000-{number:012x}"),
        person: person.to_owned(),
        unit,
        template: template.id.clone(),
        version: template.version,
        interest: text("clinicalProcessInterestId").map(str::to_owned),
        system: text("healthcare_systemID").map(str::to_owned),
        expires,
        keep_until,
        created: now,
        status: Status::Ongoing,
        completed: None,
    })
}

fn get_form(office: &Office, root: &Element) -> Reply {
    let ns = root.ns.to_string();
    let id = root.require_text(&ns, "formId").map_err(client)?;
    let person = root.text_of(&ns, "subjectOfCare");
    let state = office.lock();
    let form = state
        .desk
        .form(id)
        .filter(|form| form.status != Status::Cancelled);
    if form.is_some() && person.is_none() {
        return Err(SoapFault::client(
            "subjectOfCare is mandatory for a form that is not anonymous",
        ));
    }
    let form = form.filter(|form| person == Some(form.person.as_str()));
    Ok(response("GetForm", |w| {
        if let Some((form, template)) = form.and_then(|form| {
            Some((
                form,
                state.desk.template(&form.template, Some(form.version))?,
            ))
        }) {
            w.element("r:form", |w| whole(w, &state.desk, form, template));
        }
    }))
}

fn get_forms(office: &Office, root: &Element) -> Reply {
    let ns = root.ns.to_string();
    let all = |name| {
        root.all(&ns, name)
            .map(|element| element.value().to_owned())
            .collect::<Vec<_>>()
    };
    let query = Query {
        interests: all("clinicalProcessInterestIds"),
        unit: root
            .text_of(&ns, "healthcare_facility_CareUnit")
            .map(HsaId::new),
        person: root.text_of(&ns, "subjectOfCare").map(str::to_owned),
        templates: all("templateIds"),
    };
    let state = office.lock();
    Ok(response("GetForms", |w| {
        for form in state.desk.find(&query) {
            if let Some(template) = state.desk.template(&form.template, Some(form.version)) {
                w.element("r:forms", |w| listed(w, form, template));
            }
        }
    }))
}

fn cancel_form(office: &Office, root: &Element) -> Reply {
    let ns = root.ns.to_string();
    let id = root.require_text(&ns, "formId").map_err(client)?;
    let person = root.text_of(&ns, "subjectOfCare");
    let at = office.clock.now();
    let cancelled = office.change(|desk| {
        desk.decide_cancel(id, person, at)
            .map(|entry| vec![entry])
            .ok_or(())
    });
    let cancelled = cancelled.map_err(|_| SoapFault::server("the change could not be stored"))?;
    Ok(response("CancelForm", |w| {
        if cancelled.is_err() {
            w.text("r:comment", "Formuläret är inte öppet.");
        }
        w.text(
            "r:resultCode",
            if cancelled.is_ok() { "OK" } else { "ERROR" },
        );
    }))
}

fn client(error: halsonav_rivta::xml::Error) -> SoapFault {
    SoapFault::client(error.to_string())
}

fn status(form: &Form) -> &'static str {
    if form.status == Status::Completed {
        "COMPLETED"
    } else {
        "ONGOING"
    }
}

/// `FormType`.
fn whole(w: &mut Writer, desk: &Desk, form: &Form, template: &Template) {
    w.text("c:createdDateTime", &timestamp(form.created));
    w.optional("c:clinicalProcessInterestId", form.interest.as_deref());
    w.text("c:expireDate", &date(form.expires));
    w.text("c:formId", &form.id);
    w.text("c:formStatus", status(form));
    w.element("c:formTemplate", |w| about(w, template));
    w.text("c:healthcare_facility_CareUnit", form.unit.as_str());
    w.text("c:healthcare_facility_CareUnitName", "Vårdcentralen");
    w.optional("c:healthcare_systemID", form.system.as_deref());
    w.optional("c:keepUntil", form.keep_until.map(date).as_deref());
    if form.status == Status::Completed {
        pages(w, template, desk.answers(&form.id));
    }
    w.optional("c:lastSavedDate", form.completed.map(timestamp).as_deref());
    w.text("c:subjectOfCare", &form.person);
}

/// `FormsType`.
fn listed(w: &mut Writer, form: &Form, template: &Template) {
    w.text("c:createdDateTime", &timestamp(form.created));
    w.text("c:expireDate", &date(form.expires));
    w.text("c:formId", &form.id);
    w.text("c:formStatus", status(form));
    w.text("c:healthcare_facility_CareUnit", form.unit.as_str());
    w.text("c:healthcare_facility_CareUnitName", "Vårdcentralen");
    w.optional("c:healthcare_systemID", form.system.as_deref());
    w.optional("c:clinicalProcessInterestId", form.interest.as_deref());
    match form.keep_until {
        Some(day) => w.text("c:keepUntil", &date(day)),
        None => w.raw("<c:keepUntil></c:keepUntil>"),
    }
    w.optional("c:lastSavedDate", form.completed.map(timestamp).as_deref());
    w.text("c:subjectOfCare", &form.person);
    w.element("c:formTemplate", |w| about(w, template));
}

/// `FormTemplateInfoType`.
fn about(w: &mut Writer, template: &Template) {
    let pages = template
        .questions
        .iter()
        .map(|question| question.page)
        .max()
        .unwrap_or(1)
        .to_string();
    let questions = template.questions.len().to_string();
    w.flag("c:anonymousForm", false);
    w.text("c:category", "hälsodeklaration");
    w.text("c:formName", &template.name);
    w.text("c:language", "sv");
    w.text("c:maxNumberOfQuestions", &questions);
    w.text("c:minNumberOfQuestions", &questions);
    w.text("c:maxNumberOfPages", &pages);
    w.text("c:minNumberOfPages", &pages);
    w.flag("c:mandatory", false);
    w.text("c:publishStatus", "Published");
    w.text("c:templateVersion", &template.version.to_string());
    w.text("c:templateId", &template.id);
    w.text("c:term", "Svaren används vid hälsosamtalet.");
}

/// `answeredPages`: questions of one page and one block stand together in the template.
fn pages(w: &mut Writer, template: &Template, answers: &[Vec<Answer>]) {
    let rows: Vec<_> = template.numbered().zip(answers).collect();
    let last = rows.last().map(|((_, question), _)| question.page);
    for page in rows.chunk_by(|((_, a), _), ((_, b), _)| a.page == b.page) {
        let Some(((_, first), _)) = page.first() else {
            continue;
        };
        w.element("c:answeredPages", |w| {
            for block in page.chunk_by(|((_, a), _), ((_, b), _)| a.block == b.block) {
                w.element("c:questionBlocks", |w| {
                    let number = block.first().map_or(1, |((_, question), _)| question.block);
                    w.text("c:blockNumber", &number.to_string());
                    w.text("c:numberOfQuestions", &block.len().to_string());
                    for ((number, question), answers) in block {
                        w.element("c:questions", |w| one(w, *number, question, answers));
                    }
                });
            }
            w.flag("c:lastPage", last == Some(first.page));
            w.text("c:pageNumber", &first.page.to_string());
        });
    }
}

/// `QuestionType`.
fn one(w: &mut Writer, number: u32, question: &Question, answers: &[Answer]) {
    for answer in answers {
        w.element("c:answers", |w| match answer {
            Answer::Alternative(n) => w.text("c:answerAlternativeNumber", &n.to_string()),
            Answer::Value(value) => w.text("c:value", value),
        });
    }
    for (n, alternative) in (1..).zip(question.alternatives()) {
        w.element("c:answerAlternatives", |w| {
            w.text("c:alternativeValue", alternative);
            w.text("c:answerAlternativeNumber", &i32::to_string(&n));
        });
    }
    let (unit, min, max) = match &question.input {
        Input::Number { unit, min, max } => (unit.as_deref(), *min, *max),
        _ => (None, None, None),
    };
    w.optional("c:answerMax", max.map(|max| max.to_string()).as_deref());
    w.optional("c:answerMin", min.map(|min| min.to_string()).as_deref());
    if let Some(code) = &question.code {
        w.element("c:code", |w| {
            w.text("c:codeValue", code);
            w.text("c:codeSystem", "1.2.752.129.5.99.1");
        });
    }
    w.text("c:input", question.input_name());
    w.optional("c:inputUnit", unit);
    w.flag("c:mandatory", question.mandatory);
    w.text("c:questionNumber", &number.to_string());
    w.text("c:subject", &question.text);
}
