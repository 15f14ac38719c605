//! Events that belong to another element by something else than a flow: links and compensation.

use super::reader::Reader;
use super::rule;
use super::sketch::{Shape, Tag};
use super::xml::{self, Element};
use crate::graph::NodeIx;

impl<'a> Reader<'a, '_> {
    /// The handler that an association ties to a compensation boundary event.
    pub(crate) fn handler(&mut self, boundary: &Shape<'a>) -> Option<NodeIx> {
        let sketch = self.sketch;
        let tied = sketch.ties.get(boundary.id).into_iter().flatten();
        let targets: Vec<NodeIx> = tied.filter_map(|id| sketch.find(id)).collect();
        let [handler] = targets[..] else {
            let message = format!("{} activities are tied to it by association", targets.len());
            self.report
                .at(&rule::COMPENSATION_HANDLER, boundary.element, message);
            return None;
        };
        let shape = sketch.shape_at(handler);
        let marked = xml::flag(shape.element, "isForCompensation", false);
        if !shape.tag.is_activity()
            || shape.tag == Tag::EventSubProcess
            || shape.scope != boundary.scope
            || !marked
        {
            let message = format!(
                "'{}' is not a compensation handler in the same scope",
                shape.id
            );
            self.report
                .at(&rule::COMPENSATION_HANDLER, boundary.element, message);
            return None;
        }
        Some(handler)
    }

    /// The one activity that a thrown compensation is for; `Some(None)`: all of its scope.
    pub(crate) fn compensated(
        &mut self,
        shape: &Shape<'a>,
        definition: Element<'a>,
    ) -> Option<Option<NodeIx>> {
        if !xml::flag(definition, "waitForCompletion", true) {
            self.report.at(
                &rule::COMPENSATION_WAIT,
                shape.element,
                "it does not wait for what it starts",
            );
            return None;
        }
        let Some(id) = xml::reference(definition, "activityRef") else {
            return Some(None);
        };
        let Some(target) = self.sketch.find(id) else {
            return self.dangling(definition, "activity", id);
        };
        let activity = self.sketch.shape_at(target);
        let compensable =
            activity.tag == Tag::SubProcess || self.sketch.compensated.contains(activity.id);
        if !activity.tag.is_activity() || !compensable || !self.sees(shape, activity) {
            let message = format!("'{id}' cannot be compensated from here");
            self.report
                .at(&rule::COMPENSATION_TARGET, shape.element, message);
            return None;
        }
        Some(Some(target))
    }

    /// In the same scope, or in the scope around the event sub-process that throws.
    fn sees(&self, thrower: &Shape<'a>, activity: &Shape<'a>) -> bool {
        let mut scope = thrower.scope;
        loop {
            if scope == activity.scope {
                return true;
            }
            let frame = &self.sketch.frames[scope as usize];
            let held = frame
                .host
                .is_some_and(|host| self.sketch.shape_at(host).tag == Tag::EventSubProcess);
            match frame.parent.filter(|_| held) {
                Some(parent) => scope = parent,
                None => return false,
            }
        }
    }

    /// The name of a link.
    pub(crate) fn link_name(&mut self, definition: Element<'a>) -> Option<&'a str> {
        let name = xml::attribute(definition, "name");
        if name.is_none() {
            self.report
                .at(&rule::LINK_NO_NAME, definition, "the link has no name");
        }
        name
    }

    /// Where a thrown link goes on.
    pub(crate) fn link_target(
        &mut self,
        shape: &Shape<'a>,
        definition: Element<'a>,
    ) -> Option<NodeIx> {
        let name = self.link_name(definition)?;
        let target = self.sketch.links.get(&(shape.scope, name)).copied();
        if target.is_none() {
            self.report.at(
                &rule::LINK_NO_TARGET,
                shape.element,
                format!("no link catch event here is named '{name}'"),
            );
        }
        target
    }
}
