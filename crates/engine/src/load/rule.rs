//! Every rule a process file is held to. This table is the manual.

use serde::Serialize;

use crate::fault::Severity;

/// A rule of the loader.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Rule {
    /// Stable id.
    pub id: &'static str,
    /// Whether a file that breaks it is refused.
    pub severity: Severity,
    /// What it asks for.
    pub says: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

/// Every rule, in the order of the manual.
#[must_use]
pub fn rules() -> &'static [Rule] {
    ALL
}

macro_rules! manual {
    ($($name:ident $severity:ident $id:literal $says:literal $advice:literal;)*
     @expressions $($feel:literal $feel_says:literal $feel_advice:literal;)*) => {
        $(pub(crate) static $name: Rule = Rule { id: $id, severity: Severity::$severity, says: $says, advice: $advice };)*
        static ALL: &[Rule] = &[
            $(Rule { id: $id, severity: Severity::$severity, says: $says, advice: $advice },)*
            $(Rule { id: $feel, severity: Severity::Error, says: $feel_says, advice: $feel_advice },)*
        ];
    };
}

manual! {
    // The file.
    FILE_TOO_LARGE Error "file-too-large" "A file has at most 4 MiB, 400 000 XML nodes, 200 processes and 10 000 flow nodes in each."
        "split it, and call the parts with call activities";
    XML_MALFORMED Error "xml-malformed" "The file is well-formed XML."
        "save it again from the modeler";
    XML_DOCTYPE Error "xml-doctype" "The file has no DOCTYPE."
        "remove the DOCTYPE";
    XML_TOO_DEEP Error "xml-too-deep" "Elements nest at most 100 deep, have at most 100 attributes, and 2 000 namespace declarations in all."
        "call the inner parts with call activities";
    NOT_BPMN Error "not-bpmn" "The root is `definitions` of BPMN 2.0."
        "save it as BPMN 2.0 XML";
    NO_PROCESS Error "no-process" "At least one process is executable."
        "set isExecutable to true on the process that the hub is to run";
    NOT_EXECUTABLE Warning "process-not-executable" "A process that is not executable is left out."
        "set isExecutable if the hub is to run it";
    PROCESS_EMPTY Error "process-empty" "A process or sub-process has something in it."
        "draw at least one task or event";
    ID_MISSING Error "id-missing" "Processes, flow nodes, sequence flows and root elements have an id."
        "give it an id";
    ID_DUPLICATE Error "id-duplicate" "An id is used once in a file."
        "rename one of them";
    REFERENCE_DANGLING Error "reference-dangling" "A reference leads to an element of the right sort."
        "choose it again in the modeler";
    ELEMENT_UNKNOWN Error "element-unknown" "Every element in a process is one of BPMN's."
        "correct its name, or move it into extensionElements";
    FOREIGN_EXTENSION Warning "foreign-extension" "Extensions of other tools are left out."
        "check that nothing depends on them";
    DATA_IGNORED Warning "data-ignored" "Data associations with assignments or transformations are left out."
        "use input and output mappings";

    // Outside the subset.
    COMPLEX_GATEWAY Error "complex-gateway" "Complex gateways are not run."
        "use inclusive and exclusive gateways";
    TRANSACTION Error "transaction" "Transactions are not run."
        "use a sub-process with compensation";
    AD_HOC Error "ad-hoc" "Ad-hoc sub-processes are not run."
        "use user tasks, or multi-instance over the list of what is to be done";
    CONDITIONAL_EVENT Error "conditional-event" "Conditional events are not run."
        "wait for a message, or look again with a timer and an exclusive gateway";
    CANCEL_EVENT Error "cancel-event" "Cancel events are not run."
        "use an error event and compensation";
    CHOREOGRAPHY Error "choreography" "Choreographies and conversations are not run."
        "draw the hub's side of it as a process";
    GLOBAL_TASK Error "global-task" "Global tasks are not run."
        "make it a process, and call that";
    PARALLEL_MULTIPLE Error "parallel-multiple" "Parallel multiple events are not run."
        "use a parallel gateway with one catch event on each branch";
    SEVERAL_DEFINITIONS Error "event-several-definitions" "An event has one event definition."
        "use one event for each";
    INSTANTIATING Error "instantiating" "Receive tasks and event-based gateways do not start instances."
        "use a message start event";
    PARALLEL_EVENT_GATEWAY Error "parallel-event-gateway" "Event-based gateways are exclusive."
        "use a parallel gateway with catch events";
    STANDARD_LOOP Error "standard-loop" "Standard loops are not run."
        "loop with an exclusive gateway, or use multi-instance";
    TOKEN_QUANTITY Error "token-quantity" "A token quantity (startQuantity, completionQuantity) is 1."
        "use gateways";
    REPEAT_BEHAVIOR Error "repeat-behavior" "Multi-instance throws no events of its own (behavior All)."
        "throw events from within the activity";
    ZEEBE_UNSUPPORTED Error "zeebe-unsupported" "Listeners, linked resources and other extensions that would have to be run are not run."
        "use a service task before or after";

    // Extensions.
    ZEEBE_MISPLACED Warning "zeebe-misplaced" "A Zeebe extension that means nothing where it stands is left out."
        "remove it, or move it to an element it belongs to";
    ZEEBE_DUPLICATE Error "zeebe-duplicate" "A Zeebe extension stands once on an element."
        "remove one of them";
    MAPPING_TARGET Error "mapping-target" "A mapping's target is a name, or names with dots between."
        "use letters, digits and underscore, such as booking.slot";
    MAPPING_SOURCE Error "mapping-source" "A mapping has a source."
        "give it an expression such as =slot";
    VARIABLE_RESERVED Error "variable-reserved" "`clock` and `loopCounter` belong to the engine."
        "use another name";
    VARIABLE_NAME Error "variable-name" "A variable's name has letters, digits and underscore."
        "use a name such as reminder_policy";

    // Sequence flows.
    FLOW_DANGLING Error "flow-dangling" "A sequence flow leads from a flow node to a flow node."
        "draw it again";
    FLOW_CROSSES Error "flow-crosses-scope" "A sequence flow stays within its process or sub-process."
        "end the flow at the border, and go on from the sub-process itself";
    FLOW_INTO_START Error "flow-into-start" "No flow leads into a start event."
        "lead it to the first activity instead";
    FLOW_OUT_OF_END Error "flow-out-of-end" "No flow leads out of an end event."
        "use an intermediate throw event";
    FLOW_INTO_BOUNDARY Error "flow-into-boundary" "No flow leads into a boundary event."
        "lead it to the activity itself";
    FLOW_EVENT_SUBPROCESS Error "flow-event-subprocess" "No flow leads into or out of an event sub-process."
        "its start event is its only way in";
    FLOW_NOT_IMMEDIATE Warning "flow-not-immediate" "Nothing happens between the ends of a sequence flow."
        "remove isImmediate=false";
    NO_INCOMING Error "no-incoming" "Where there is a start event, every other node is led to."
        "lead a flow to it, or remove it";
    NO_OUTGOING Error "no-outgoing" "Where there is an end event, every path leads to one."
        "lead it on, or end it with an end event";
    START_MISSING Warning "start-missing" "Where there is an end event, there is a start event."
        "draw a start event: now every node without a flow into it begins at once";
    END_MISSING Warning "end-missing" "Where there is a start event, there is an end event."
        "draw an end event: now every node without a flow out of it ends";
    BOUNDARY_DEAD_END Warning "boundary-dead-end" "A boundary event leads somewhere."
        "lead a flow from it";
    UNREACHABLE Warning "unreachable" "Every node can be reached."
        "lead a flow to it, or remove it";
    IMPLICIT_SPLIT Warning "implicit-split" "Several flows out of something else than a gateway all run at once."
        "draw a parallel gateway, so that readers see it";
    IMPLICIT_MERGE Warning "implicit-merge" "Several flows into a task run it once for each."
        "draw an exclusive or parallel gateway before it, so that readers see which is meant";
    BRANCH_WRITES Warning "branch-writes" "Parallel branches write different variables."
        "use different names: the last to finish wins";
    JOIN_NEVER_FIRES Warning "join-never-fires" "A parallel join gets a token on every flow into it."
        "join with an exclusive gateway what an exclusive gateway has split";

    // Gateways and conditions.
    CONDITION_MISSING Error "condition-missing" "Every flow out of an exclusive or inclusive split has a condition, but the default."
        "give it a condition, or make it the default";
    CONDITION_EMPTY Error "condition-empty" "A condition says something."
        "write a FEEL condition such as =booked = true, or remove it";
    CONDITION_LANGUAGE Error "condition-language" "Conditions and scripts are written in FEEL."
        "write it in FEEL";
    CONDITION_PLACE Error "condition-place" "Flows out of events and event-based gateways have no condition."
        "put an exclusive gateway after it";
    CONDITION_IGNORED Warning "condition-ignored" "Conditions on flows out of a parallel gateway are left out."
        "use an inclusive gateway";
    CONDITION_ALONE Error "condition-alone" "A conditional flow out of an activity has another flow beside it."
        "add a default flow, or remove the condition";
    DEFAULT_UNKNOWN Error "default-unknown" "A default flow leads out of its own node."
        "choose the default flow again";
    DEFAULT_CONDITIONAL Error "default-conditional" "A default flow has no condition."
        "remove the condition";
    DEFAULT_PLACE Error "default-place" "Only activities, exclusive and inclusive gateways have a default flow."
        "remove the default";
    DEFAULT_ALONE Warning "default-alone" "A default flow has conditional flows beside it."
        "remove the default, or give the other flows conditions";
    GATEWAY_DIRECTION Error "gateway-direction" "A gateway has the flows that its gatewayDirection says."
        "set it to Unspecified, or correct the flows";
    GATEWAY_IDLE Warning "gateway-idle" "A gateway splits or joins."
        "remove it";
    EVENT_GATEWAY_FEW Error "event-gateway-few" "An event-based gateway leads to two or more events."
        "add an event, such as a timer, or remove the gateway";
    EVENT_GATEWAY_TARGET Error "event-gateway-target" "An event-based gateway leads to message, timer or signal catch events, or receive tasks."
        "put a catch event right after it";
    EVENT_GATEWAY_SHARED Error "event-gateway-shared" "What follows an event-based gateway has no other flow into it."
        "give the other flow a catch event of its own";
    EVENT_GATEWAY_MIXED Error "event-gateway-mixed" "An event-based gateway leads to message events or to receive tasks, not to both."
        "use message events only";
    EVENT_GATEWAY_BOUNDARY Error "event-gateway-boundary" "A receive task after an event-based gateway has no boundary events."
        "give the gateway a timer or message event of its own";

    // Events.
    START_MANY Error "start-many" "A process or sub-process has at most one start event without trigger."
        "keep one, and split after it";
    START_TRIGGER Error "start-trigger" "A process starts plainly, by message, timer or signal; a sub-process plainly."
        "use an event sub-process for what may happen meanwhile";
    EVENT_PLACE Error "event-place" "An event has a trigger that can stand there."
        "use another event";
    EVENT_NO_DEFINITION Error "event-no-definition" "A catch or boundary event says what it waits for."
        "make it a message, timer, signal or other event";
    EVENT_SUBPROCESS_START Error "event-subprocess-start" "An event sub-process has exactly one start event, with a trigger."
        "give it one message, timer, error, escalation or signal start event";
    EVENT_NOT_INTERRUPTING Error "event-not-interrupting" "Error events interrupt."
        "make it interrupting, or use an escalation";
    BOUNDARY_HOST Error "boundary-host" "A boundary event sits on an activity in its own process or sub-process."
        "attach it to a task, sub-process or call activity";
    CATCH_DUPLICATE Error "catch-duplicate" "Two events that wait in the same place wait for different things."
        "keep one of them";
    CATCH_CODE Error "catch-code" "The code that an event catches is a plain text."
        "write the code itself, without =";
    MESSAGE_MISSING Error "message-missing" "A message event or receive task refers to a message."
        "choose a message";
    MESSAGE_NO_NAME Error "message-no-name" "A message has a name."
        "name it after the event, such as booking.made";
    MESSAGE_NO_KEY Error "message-no-key" "A message that a running instance waits for has a correlation key."
        "give the message a zeebe:subscription correlationKey such as =case.id";
    TIMER_MISSING Error "timer-missing" "A timer has a date, a duration or a cycle."
        "give it one, such as P14D";
    TIMER_SEVERAL Error "timer-several" "A timer has only one of date, duration and cycle."
        "keep one of them";
    TIMER_TEXT Error "timer-text" "A timer's text is ISO 8601."
        "write a date as 2027-01-31T08:00:00, a duration as P14D, a cycle as R3/P7D";
    TIMER_CRON Error "timer-cron" "Timers do not take cron expressions."
        "write a cycle such as R/P1D";
    TIMER_CYCLE Error "timer-cycle-place" "Cycles stand only on start events and on events that do not interrupt."
        "use a duration, or make the event non-interrupting";
    ERROR_MISSING Error "error-missing" "An error end event refers to an error."
        "choose an error";
    ERROR_NO_CODE Error "error-no-code" "An error has a code."
        "give it an errorCode, or catch every error by choosing none";
    ESCALATION_MISSING Error "escalation-missing" "A thrown escalation refers to an escalation."
        "choose an escalation";
    ESCALATION_NO_CODE Error "escalation-no-code" "An escalation has a code."
        "give it an escalationCode, or catch every escalation by choosing none";
    SIGNAL_MISSING Error "signal-missing" "A signal event refers to a signal."
        "choose a signal";
    SIGNAL_NO_NAME Error "signal-no-name" "A signal has a name."
        "give it a name";
    LINK_NO_NAME Error "link-no-name" "A link event has a name."
        "give it a name";
    LINK_NO_TARGET Error "link-no-target" "A thrown link has its catching link in the same process or sub-process."
        "draw a link catch event of the same name";
    LINK_NO_SOURCE Error "link-no-source" "A catching link is thrown to."
        "draw a link throw event of the same name, or remove it";
    LINK_DUPLICATE Error "link-duplicate" "A link name is caught once."
        "keep one catching link";
    LINK_FLOW Error "link-flow" "No flow leads out of a link throw event or into a link catch event."
        "remove the flow, or the link";
    COMPENSATION_HANDLER Error "compensation-handler" "A compensation boundary event has one handler, by association: an activity with isForCompensation in the same scope."
        "draw an association from the event to the handler, and mark that as compensation";
    COMPENSATION_FLOW Error "compensation-flow" "No flow leads into or out of a compensation handler, or out of its boundary event."
        "connect them by association only";
    COMPENSATION_ORPHAN Error "compensation-orphan" "A compensation handler belongs to a compensation boundary event."
        "draw an association to it, or unmark it";
    COMPENSATION_TARGET Error "compensation-target" "What a compensation event refers to is an activity in its scope that can be compensated."
        "choose an activity with a compensation boundary event, or none";
    COMPENSATION_WAIT Error "compensation-wait" "A thrown compensation waits until it is done."
        "remove waitForCompletion=false";

    // Tasks.
    TASK_NO_TYPE Error "task-no-type" "A service or send task, and a thrown message, has a job type."
        "set the task definition type to what an adapter does, such as messaging.send";
    TASK_TWO_WAYS Error "task-two-ways" "A task is a job, or evaluates a decision or script, not both."
        "remove one of them";
    JOB_UNKNOWN Error "job-unknown" "A job type is one that the hub knows."
        "choose one of the hub's commands; the manual of each adapter lists them";
    RETRIES Error "retries" "Retries are a whole number from 1."
        "write a number such as 3";
    SCRIPT_MISSING Error "script-missing" "A script task has a FEEL expression."
        "set zeebe:script";
    RESULT_MISSING Error "result-missing" "A script or decision names its result variable."
        "set resultVariable";
    DECISION_MISSING Error "decision-missing" "A business rule task calls a decision, or has a job type."
        "set zeebe:calledDecision";
    DECISION_UNKNOWN Error "decision-unknown" "A decision that is called exists among the rules."
        "add the DMN file, or correct the id";
    CALL_MISSING Error "call-missing" "A call activity names a process."
        "set zeebe:calledElement processId";
    CALL_UNKNOWN Error "call-unknown" "A process that is called exists."
        "add its file, or correct the id";
    CALL_RECURSION Warning "call-recursion" "A process does not call itself, directly or through others."
        "check that it ends: the engine stops at a depth limit";
    CALL_START Error "call-start" "A process that is called has a start event without trigger, or none at all."
        "give it a plain start event";
    BINDING Error "binding" "A binding is latest, deployment, or versionTag with a tag; a decision is always that of its deployment."
        "choose another binding";
    FORM_MISSING Warning "form-missing" "A user task has a form, which says what sort of work item it is."
        "set a form";
    FORM_UNKNOWN Error "form-unknown" "A form is one that the hub knows."
        "add it to the region's forms, or correct the id";
    CANDIDATE_USERS Error "candidate-users" "Work is given to groups; persons take it from there."
        "use candidateGroups";
    SCHEDULE Error "schedule" "Due and follow-up dates are ISO 8601 moments."
        "write an expression, or a date such as 2027-01-31T08:00:00";
    PRIORITY Error "priority" "A priority is a whole number from 0 to 100."
        "write a number such as 50";
    REPEAT_COLLECTION Error "repeat-collection" "Multi-instance has one input collection by expression, or one loop cardinality."
        "set zeebe:loopCharacteristics inputCollection, such as =questionnaires";
    REPEAT_OUTPUT Error "repeat-output" "An output collection and an output element come together."
        "set both, or none";

    // Expressions bring their own faults, with advice for each.
    @expressions
    "feel-parse" "An expression is FEEL."
        "correct the expression";
    "feel-name" "A name in an expression is a variable or a function, not both."
        "give the variable another name";
    "feel-function" "An expression calls functions that exist."
        "use a built-in function of FEEL";
    "feel-external-function" "An expression calls nothing outside."
        "use a service task";
    "feel-clock" "An expression does not read the machine's clock."
        "use clock.now or clock.today";
    "feel-pattern" "A regular expression is written out."
        "write it as a text in quotes";
    "feel-too-long" "An expression is short."
        "split it, or use a decision table";
    "feel-too-deep" "An expression nests little."
        "split it, or use a decision table";
    "feel-range" "An expression loops over small ranges only."
        "loop over a list";
    "feel-loop" "A loop in an expression goes over lists that do not depend on its own variables."
        "put one loop inside the other";
    "feel-growth" "An expression does not grow beyond all limits."
        "use fewer loops inside each other";
}
