//! The DMN engine: the one place, beside `feel`, where it is named.

use std::sync::Arc;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use dsntk_model_evaluator::ModelEvaluator;

use crate::Fault;
use crate::contained::on_large_stack;

/// All decisions of a set of files, built.
pub struct Model(Arc<ModelEvaluator>);

impl Model {
    /// Builds them from files that have passed every check: name and XML.
    pub fn build(files: &[(String, String)]) -> Result<Self, Vec<Fault>> {
        let build = || {
            let mut definitions = Vec::new();
            let mut faults = Vec::new();
            for (name, xml) in files {
                match dsntk_model::parse(xml) {
                    Ok(model) => definitions.push(model),
                    Err(error) => faults.push(refused(&error.to_string()).within(name, None)),
                }
            }
            if !faults.is_empty() {
                return Err(faults);
            }
            ModelEvaluator::new(&definitions)
                .map(Self)
                .map_err(|error| vec![refused(&error.to_string())])
        };
        on_large_stack(build).unwrap_or_else(|_| Err(vec![refused("the engine cannot read it")]))
    }

    /// Decides. To be called inside [`crate::contained::contained`].
    pub fn decide(
        &self,
        namespace: &str,
        model: &str,
        name: &str,
        variables: &FeelContext,
    ) -> Feel {
        self.0.evaluate_invocable(namespace, model, name, variables)
    }
}

/// What a null from a table means, where the engine says so.
pub fn broken_hit_policy(value: &Feel) -> Option<&'static str> {
    let Feel::Null(Some(trace)) = value else {
        return None;
    };
    if trace.contains("err_multiple_rules_match_in_unique_hit_policy") {
        Some("several rules match and the hit policy is UNIQUE")
    } else if trace.contains("err_all_matching_rules_must_have_the_same_value") {
        Some("the matching rules differ and the hit policy is ANY")
    } else {
        None
    }
}

fn refused(why: &str) -> Fault {
    let message = format!(
        "the file is not valid DMN: {}",
        crate::calendar::shorten(why)
    );
    Fault::new(
        "dmn-invalid",
        message,
        "Open it in a modeller and correct what it marks",
    )
}
