//! Tasks and call activities, by their Zeebe extension elements.

use halsonav_expression::{Template, calendar};

use super::reader::Reader;
use super::rule;
use super::sketch::Shape;
use super::xml::{self, Element};
use crate::graph::{Binding, Call, JobDef, NodeKind, UserTask};

/// Tries of a job that does not say.
const DEFAULT_RETRIES: &str = "3";

impl<'a> Reader<'a, '_> {
    /// `zeebe:taskDefinition` of a task or of an event that throws a message.
    pub(crate) fn job(&mut self, element: Element<'a>) -> Option<JobDef> {
        let Some(definition) =
            xml::zeebe(element, "taskDefinition").filter(|d| xml::attribute(*d, "type").is_some())
        else {
            self.no_type(element);
            return None;
        };
        let kind = self.attribute(definition, "type");
        let retries = self.retries(definition);
        if let Some(kind) = kind
            .as_ref()
            .and_then(Template::literal)
            .filter(|kind| !self.known.job_kind(kind))
        {
            self.report.at(
                &rule::JOB_UNKNOWN,
                element,
                format!("no adapter does '{kind}'"),
            );
        }
        Some(JobDef {
            kind: kind?,
            retries: retries?,
        })
    }

    fn no_type(&mut self, element: Element<'a>) {
        let seventh = |name: &str| element.has_attribute((xml::CAMUNDA_7, name));
        if ["topic", "delegateExpression", "class", "expression", "type"]
            .into_iter()
            .any(seventh)
        {
            let advice =
                "choose Camunda 8 as its platform in the modeler, and set the task definition type";
            self.report.advised(
                &rule::TASK_NO_TYPE,
                element,
                "it is drawn for Camunda 7 and has no Zeebe job type",
                advice,
            );
        } else {
            self.report.at(
                &rule::TASK_NO_TYPE,
                element,
                "it has no job type, so the hub cannot know what to do",
            );
        }
    }

    fn retries(&mut self, definition: Element<'a>) -> Option<Template> {
        let text = xml::attribute(definition, "retries").unwrap_or(DEFAULT_RETRIES);
        let template = self.template(definition, text, "retries")?;
        if template
            .literal()
            .is_some_and(|text| !text.parse::<u32>().is_ok_and(|tries| tries > 0))
        {
            self.report
                .at(&rule::RETRIES, definition, format!("retries is '{text}'"));
            return None;
        }
        Some(template)
    }

    /// A script task: FEEL here, or a job.
    pub(crate) fn script(&mut self, element: Element<'a>) -> Option<NodeKind> {
        let script = xml::zeebe(element, "script");
        if xml::zeebe(element, "taskDefinition").is_some() {
            return self.only_job(element, script);
        }
        let Some(script) = script.filter(|s| xml::attribute(*s, "expression").is_some()) else {
            if let Some(body) = xml::child(element, "script") {
                let format = xml::attribute(element, "scriptFormat").unwrap_or("some language");
                self.report.at(
                    &rule::CONDITION_LANGUAGE,
                    body,
                    format!("a script in {format} is not run"),
                );
            } else {
                self.report
                    .at(&rule::SCRIPT_MISSING, element, "it has no script");
            }
            return None;
        };
        let expression = self.feel(script, "expression", &rule::SCRIPT_MISSING);
        let result = self.result(script);
        Some(NodeKind::Script {
            expression: expression?,
            result: result?,
        })
    }

    /// A business rule task: a decision here, or a job.
    pub(crate) fn decision(&mut self, element: Element<'a>) -> Option<NodeKind> {
        let called = xml::zeebe(element, "calledDecision");
        if xml::zeebe(element, "taskDefinition").is_some() {
            return self.only_job(element, called);
        }
        let Some(called) = called.filter(|c| xml::attribute(*c, "decisionId").is_some()) else {
            self.report
                .at(&rule::DECISION_MISSING, element, "it calls no decision");
            return None;
        };
        if !matches!(
            xml::attribute(called, "bindingType"),
            None | Some("latest" | "deployment")
        ) {
            self.report.at(
                &rule::BINDING,
                called,
                "a decision of another version is asked for",
            );
        }
        let decision = self.attribute(called, "decisionId");
        if let Some(id) = decision
            .as_ref()
            .and_then(Template::literal)
            .filter(|id| !self.decisions.contains(id))
        {
            self.report.at(
                &rule::DECISION_UNKNOWN,
                element,
                format!("there is no decision '{id}'"),
            );
        }
        let result = self.result(called);
        Some(NodeKind::Decision {
            decision: decision?,
            result: result?,
        })
    }

    fn only_job(&mut self, element: Element<'a>, other: Option<Element<'a>>) -> Option<NodeKind> {
        if other.is_some() {
            self.report.at(
                &rule::TASK_TWO_WAYS,
                element,
                "it is a job and evaluates something as well",
            );
            return None;
        }
        self.job(element).map(NodeKind::Job)
    }

    fn result(&mut self, element: Element<'a>) -> Option<String> {
        if xml::attribute(element, "resultVariable").is_none() {
            self.report
                .at(&rule::RESULT_MISSING, element, "its result goes nowhere");
        }
        self.variable(element, "resultVariable")
    }

    /// A user task.
    pub(crate) fn user(&mut self, element: Element<'a>) -> NodeKind {
        let mut task = UserTask::default();
        if let Some(form) = xml::zeebe(element, "formDefinition") {
            let names = ["formId", "formKey", "externalReference"];
            let written = names
                .into_iter()
                .find(|name| xml::attribute(form, name).is_some());
            task.form = written.and_then(|name| self.attribute(form, name));
        }
        match task.form.as_ref() {
            None => self
                .report
                .at(&rule::FORM_MISSING, element, "it has no form"),
            Some(form) => {
                if let Some(id) = form.literal().filter(|id| !self.known.form(id)) {
                    self.report.at(
                        &rule::FORM_UNKNOWN,
                        element,
                        format!("there is no form '{id}'"),
                    );
                }
            }
        }
        if let Some(assignment) = xml::zeebe(element, "assignmentDefinition") {
            task.assignee = self.attribute(assignment, "assignee");
            task.candidate_groups = self.attribute(assignment, "candidateGroups");
            if xml::attribute(assignment, "candidateUsers").is_some() {
                self.report.at(
                    &rule::CANDIDATE_USERS,
                    element,
                    "work is offered to named persons",
                );
            }
        }
        if let Some(schedule) = xml::zeebe(element, "taskSchedule") {
            task.due = self.moment(schedule, "dueDate");
            task.follow_up = self.moment(schedule, "followUpDate");
        }
        if let Some(priority) = xml::zeebe(element, "priorityDefinition") {
            task.priority = self.attribute(priority, "priority");
            let literal = task.priority.as_ref().and_then(Template::literal);
            if literal.is_some_and(|text| !text.parse::<u8>().is_ok_and(|p| p <= 100)) {
                self.report.at(
                    &rule::PRIORITY,
                    element,
                    "its priority is not a number from 0 to 100",
                );
            }
        }
        NodeKind::User(task)
    }

    fn moment(&mut self, schedule: Element<'a>, name: &str) -> Option<Template> {
        let template = self.attribute(schedule, name)?;
        if let Some(fault) = template
            .literal()
            .and_then(|text| calendar::moment(text).err())
        {
            self.report.at(
                &rule::SCHEDULE,
                schedule,
                format!("{name}: {}", fault.message),
            );
        }
        Some(template)
    }

    /// A call activity.
    pub(crate) fn call(&mut self, shape: &Shape<'a>) -> Option<NodeKind> {
        let element = shape.element;
        let extension = xml::zeebe(element, "calledElement");
        let written = extension.and_then(|called| xml::attribute(called, "processId"));
        let Some(text) = written.or_else(|| xml::reference(element, "calledElement")) else {
            self.report
                .at(&rule::CALL_MISSING, element, "it calls nothing");
            return None;
        };
        let process = self.template(element, text, "processId")?;
        if let Some(id) = process.literal() {
            let here = self
                .globals
                .processes
                .iter()
                .any(|process| process.attribute("id") == Some(id));
            if !here && !self.known.process(id) {
                self.report.at(
                    &rule::CALL_UNKNOWN,
                    element,
                    format!("there is no process '{id}'"),
                );
            }
        }
        let propagate = |name| extension.is_none_or(|called| xml::flag(called, name, true));
        Some(NodeKind::Call(Call {
            process,
            binding: self.binding(element, extension)?,
            propagate_in: propagate("propagateAllParentVariables"),
            propagate_out: propagate("propagateAllChildVariables"),
        }))
    }

    fn binding(&mut self, element: Element<'a>, extension: Option<Element<'a>>) -> Option<Binding> {
        let tag = extension.and_then(|called| xml::attribute(called, "versionTag"));
        match (
            extension.and_then(|called| xml::attribute(called, "bindingType")),
            tag,
        ) {
            (None | Some("latest"), _) => Some(Binding::Latest),
            (Some("deployment"), _) => Some(Binding::Deployment),
            (Some("versionTag"), Some(tag)) => Some(Binding::VersionTag(tag.to_owned())),
            (Some(other), _) => {
                self.report.at(
                    &rule::BINDING,
                    element,
                    format!("the binding '{other}' does not say which version"),
                );
                None
            }
        }
    }
}
