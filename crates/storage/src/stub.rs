//! Signatures.
use crate::*;
use halsonav_domain::*;
use std::collections::{BTreeMap, HashSet};
fn soon<T>() -> Result<T> {
    Err(Error::Closed)
}

// ---- cases (Reader)
impl Reader {
    /// Cases with their instances, in the order asked for; those that do not exist are left out.
    pub fn load_instances(&mut self, cases: &[CaseId]) -> Result<Vec<StoredInstance>> {
        let _ = cases;
        soon()
    }
    /// As `load_instances`, by number.
    pub fn load_instances_by_no(&mut self, cases: &[CaseNo]) -> Result<Vec<StoredInstance>> {
        let _ = cases;
        soon()
    }
    /// One case.
    pub fn case(&mut self, case: &CaseId) -> Result<Option<Case>> {
        let _ = case;
        soon()
    }
    /// A page of cases in order of making: those after `after`.
    pub fn cases(
        &mut self,
        filter: &CaseFilter,
        after: Option<CaseNo>,
        limit: u32,
    ) -> Result<Vec<Case>> {
        let _ = (filter, after, limit);
        soon()
    }
    /// The open case of a subject (of any round, the latest first).
    pub fn open_case_of(&mut self, subject: &SubjectId) -> Result<Option<Case>> {
        let _ = subject;
        soon()
    }
    /// The ledger added up, for a round or for all.
    pub fn totals(&mut self, round: Option<&RoundId>) -> Result<Totals> {
        let _ = round;
        soon()
    }
    /// Cases that nothing could ever move, at most `limit`.
    pub fn unaccounted(&mut self, round: Option<&RoundId>, limit: u32) -> Result<Vec<CaseId>> {
        let _ = (round, limit);
        soon()
    }
    /// Milestones reached, by unit.
    pub fn funnel(&mut self, round: Option<&RoundId>) -> Result<Vec<FunnelRow>> {
        let _ = round;
        soon()
    }
    /// States and outcomes, by unit.
    pub fn standing(&mut self, round: Option<&RoundId>) -> Result<Vec<UnitRow>> {
        let _ = round;
        soon()
    }
    /// Milestones of a case in order of time.
    pub fn milestones(&mut self, case: &CaseId) -> Result<Vec<Milestone>> {
        let _ = case;
        soon()
    }
    /// A round.
    pub fn round(&mut self, round: &RoundId) -> Result<Option<Round>> {
        let _ = round;
        soon()
    }
    /// All rounds in order of making.
    pub fn rounds(&mut self) -> Result<Vec<Round>> {
        soon()
    }
    // ---- timers, subscriptions
    /// Timers due at `now`, earliest first.
    pub fn due_timers(&mut self, now: Timestamp, limit: u32) -> Result<Vec<DueTimer>> {
        let _ = (now, limit);
        soon()
    }
    /// When the next timer is due.
    pub fn next_due(&mut self) -> Result<Option<Timestamp>> {
        soon()
    }
    /// Cases waiting for message `name` under `correlation` (not those that wait under their own id).
    pub fn awaiting_message(&mut self, name: &str, correlation: &str) -> Result<Vec<CaseId>> {
        let _ = (name, correlation);
        soon()
    }
    /// A page of cases waiting for a signal.
    pub fn awaiting_signal(
        &mut self,
        name: &str,
        after: Option<CaseNo>,
        limit: u32,
    ) -> Result<Vec<(CaseNo, CaseId)>> {
        let _ = (name, after, limit);
        soon()
    }
    // ---- effects
    /// Effects for the relay to put on the bus: new ones and those whose retry is due, in order.
    pub fn publishable(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Effect>> {
        let _ = (now, limit);
        soon()
    }
    /// When the relay next has something to do.
    pub fn next_publish(&mut self) -> Result<Option<Timestamp>> {
        soon()
    }
    /// Effects of a case, in order.
    pub fn effects_of(&mut self, case: &CaseId) -> Result<Vec<Effect>> {
        let _ = case;
        soon()
    }
    /// One effect.
    pub fn effect(&mut self, which: &EffectRef) -> Result<Option<Effect>> {
        let _ = which;
        soon()
    }
    /// Effects in an adapter's hands under an epoch before `epoch`: what a crash left behind.
    pub fn abandoned(&mut self, epoch: Epoch, limit: u32) -> Result<Vec<Effect>> {
        let _ = (epoch, limit);
        soon()
    }
    /// How many effects of each adapter stand where.
    pub fn lanes(&mut self) -> Result<Vec<LaneRow>> {
        soon()
    }
    /// How often settling or claiming was refused because of a stale epoch.
    pub fn fenced(&mut self) -> Result<u64> {
        soon()
    }
    // ---- people at work
    /// A page of work items, those due first first.
    pub fn work_items(
        &mut self,
        filter: &WorkFilter,
        after: Option<WorkCursor>,
        limit: u32,
    ) -> Result<Vec<WorkItem>> {
        let _ = (filter, after, limit);
        soon()
    }
    /// One work item.
    pub fn work_item(&mut self, no: WorkItemNo) -> Result<Option<WorkItem>> {
        let _ = no;
        soon()
    }
    /// A page of incidents, oldest first.
    pub fn incidents(
        &mut self,
        filter: &IncidentFilter,
        after: Option<IncidentNo>,
        limit: u32,
    ) -> Result<Vec<Incident>> {
        let _ = (filter, after, limit);
        soon()
    }
    /// One incident.
    pub fn incident(&mut self, no: IncidentNo) -> Result<Option<Incident>> {
        let _ = no;
        soon()
    }
    /// Those of `cases` that a parked message has stopped.
    pub fn stopped(&mut self, cases: &[CaseNo]) -> Result<HashSet<CaseNo>> {
        let _ = cases;
        soon()
    }
    /// Parked messages, of a case or all, in the order they came.
    pub fn parked(&mut self, case: Option<CaseNo>, limit: u32) -> Result<Vec<Parked>> {
        let _ = (case, limit);
        soon()
    }
    // ---- subjects
    /// What the register says of a subject. Follows merges.
    pub fn register(&mut self, subject: &SubjectId) -> Result<Option<Register>> {
        let _ = subject;
        soon()
    }
    /// The subject behind any number the person has had.
    pub fn subject_of_person(&mut self, person: &PersonId) -> Result<Option<SubjectId>> {
        let _ = person;
        soon()
    }
    /// Subjects with an open case whose register data is older than `before`, oldest first.
    pub fn stale_subjects(&mut self, before: Timestamp, limit: u32) -> Result<Vec<SubjectId>> {
        let _ = (before, limit);
        soon()
    }
    // ---- references
    /// The case that a reference was noted for.
    pub fn case_of_reference(&mut self, kind: &str, value: &str) -> Result<Option<Noted>> {
        let _ = (kind, value);
        soon()
    }
    /// Unsettled references of `kind` of open cases, oldest first.
    pub fn open_references(&mut self, kind: &str, limit: u32) -> Result<Vec<(CaseId, String)>> {
        let _ = (kind, limit);
        soon()
    }
    // ---- records, documents
    /// Records of a case, of one kind or all, in order of time.
    pub fn records(&mut self, case: &CaseId, kind: Option<&str>) -> Result<Vec<Record>> {
        let _ = (case, kind);
        soon()
    }
    /// A page of records of a kind over all cases, in order of writing: for statistics and research.
    pub fn records_of_kind(
        &mut self,
        kind: &str,
        round: Option<&RoundId>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<CaseRecord>> {
        let _ = (kind, round, after, limit);
        soon()
    }
    /// A document of a case.
    pub fn document(&mut self, case: &CaseId, kind: &str, key: &str) -> Result<Option<Document>> {
        let _ = (case, kind, key);
        soon()
    }
    /// Kind and key of the documents of a case.
    pub fn documents(&mut self, case: &CaseId) -> Result<Vec<(String, String)>> {
        let _ = case;
        soon()
    }
    // ---- audit
    /// A page of the log.
    pub fn audit_page(
        &mut self,
        filter: &AuditFilter,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>> {
        let _ = (filter, after, limit);
        soon()
    }
    /// The log as it stands, to keep elsewhere.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        soon()
    }
    /// RFC 6962 Merkle root over all entries.
    pub fn merkle_root(&mut self) -> Result<[u8; 32]> {
        soon()
    }
    /// Reads the whole log and checks every link, and that it continues `since`.
    pub fn verify_audit(&mut self, since: Option<&Checkpoint>) -> Result<Verified> {
        let _ = since;
        soon()
    }
    // ---- memory
    /// A deployed file; `None` for version = the latest.
    pub fn definition(
        &mut self,
        kind: &str,
        id: &str,
        version: Option<u32>,
    ) -> Result<Option<StoredDefinition>> {
        let _ = (kind, id, version);
        soon()
    }
    /// All deployed files in order of deployment: what the hub compiles when it starts.
    pub fn definitions(&mut self) -> Result<Vec<StoredDefinition>> {
        soon()
    }
    /// A setting.
    pub fn setting(&mut self, key: &str) -> Result<Option<String>> {
        let _ = key;
        soon()
    }
    /// What an idempotency key led to. `scope` = the client, `digest` = of the request.
    pub fn idempotent(&mut self, scope: &str, key: &str, digest: &str) -> Result<Idempotent> {
        let _ = (scope, key, digest);
        soon()
    }
}

impl Writer {
    /// Makes cases; one that the subject has in the round already is answered instead.
    pub fn create_cases(&mut self, cases: &[NewCase]) -> Result<Vec<Created>> {
        let _ = cases;
        soon()
    }
    /// Makes or changes a round.
    pub fn put_round(&mut self, round: &Round) -> Result<()> {
        let _ = round;
        soon()
    }
    /// Applies the steps of many cases. `Stale` when one of them has moved on: then undo all.
    pub fn apply(&mut self, changes: &[CaseChange]) -> Result<Applied> {
        let _ = changes;
        soon()
    }
    /// Notes messages as seen: for each (case, source, id) whether this was the first time.
    pub fn first_seen(
        &mut self,
        seen: &[(Option<CaseNo>, &str, &str)],
        at: Timestamp,
    ) -> Result<Vec<bool>> {
        let _ = (seen, at);
        soon()
    }
    /// Forgets messages seen before `before`; how many.
    pub fn forget_seen(&mut self, before: Timestamp) -> Result<u64> {
        let _ = before;
        soon()
    }
    // ---- effects
    /// These are on the bus now. One that was withdrawn meanwhile stays withdrawn.
    pub fn mark_published(&mut self, effects: &[EffectNo]) -> Result<()> {
        let _ = effects;
        soon()
    }
    /// A larger fencing token than any before.
    pub fn next_epoch(&mut self) -> Result<Epoch> {
        soon()
    }
    /// Asks the gate and takes effects into an adapter's hands, each answered in order.
    pub fn claim(
        &mut self,
        effects: &[EffectRef],
        now: Timestamp,
        epoch: Epoch,
        gate: &dyn Gate,
    ) -> Result<Vec<Claim>> {
        let _ = (effects, now, epoch, gate);
        soon()
    }
    /// Ends claims. Answers those that were refused because the epoch is not the claim's.
    pub fn settle(&mut self, settlements: &[Settlement], now: Timestamp) -> Result<Vec<EffectNo>> {
        let _ = (settlements, now);
        soon()
    }
    /// Register data of these subjects is fresh: effects held for them go on the bus at `now`.
    pub fn release_held(&mut self, subjects: &[SubjectId], now: Timestamp) -> Result<u64> {
        let _ = (subjects, now);
        soon()
    }
    /// An operator asks for a failed or unknown effect again.
    pub fn requeue(&mut self, effect: EffectNo, at: Timestamp) -> Result<()> {
        let _ = (effect, at);
        soon()
    }
    // ---- people at work
    /// Somebody takes an open work item; `revision` as read. Answers the new revision.
    pub fn claim_work_item(&mut self, no: WorkItemNo, revision: u64, who: &str) -> Result<u64> {
        let _ = (no, revision, who);
        soon()
    }
    /// Gives a claimed work item back.
    pub fn release_work_item(&mut self, no: WorkItemNo, revision: u64) -> Result<u64> {
        let _ = (no, revision);
        soon()
    }
    /// Somebody has done it.
    pub fn complete_work_item(
        &mut self,
        no: WorkItemNo,
        revision: u64,
        who: &str,
        result: &serde_json::Value,
        at: Timestamp,
    ) -> Result<()> {
        let _ = (no, revision, who, result, at);
        soon()
    }
    /// Opens an incident of the hub's own; one that is open for the same case, element and code is answered instead.
    pub fn open_incident(&mut self, incident: &HubIncident) -> Result<IncidentNo> {
        let _ = incident;
        soon()
    }
    /// Resolves an incident. `false` when it was already.
    pub fn resolve_incident(&mut self, no: IncidentNo, how: &str, at: Timestamp) -> Result<bool> {
        let _ = (no, how, at);
        soon()
    }
    /// Parks a message that stops its case, or that waits behind one that does.
    pub fn park(
        &mut self,
        case: Option<CaseNo>,
        envelope: &Envelope,
        code: &str,
        message: &str,
        at: Timestamp,
    ) -> Result<()> {
        let _ = (case, envelope, code, message, at);
        soon()
    }
    /// Takes all parked messages of a case out, in the order they came.
    pub fn unpark(&mut self, case: CaseNo) -> Result<Vec<Envelope>> {
        let _ = case;
        soon()
    }
    /// Drops one parked message.
    pub fn drop_parked(&mut self, no: i64) -> Result<()> {
        let _ = no;
        soon()
    }
    // ---- subjects and the vault
    /// Finds or makes the subject of each number.
    pub fn enrol(&mut self, people: &[PersonId]) -> Result<Vec<Enrolled>> {
        let _ = people;
        soon()
    }
    /// Takes in what the register answered.
    pub fn put_person(&mut self, record: &PersonRecord) -> Result<PersonChange> {
        let _ = record;
        soon()
    }
    /// The resident does not want contact by `channel` (`inbox`, `phone`, `letter`, `all`).
    pub fn opt_out(&mut self, subject: &SubjectId, channel: &str, unwanted: bool) -> Result<()> {
        let _ = (subject, channel, unwanted);
        soon()
    }
    /// Language of contact.
    pub fn set_language(&mut self, subject: &SubjectId, language: Option<&str>) -> Result<()> {
        let _ = (subject, language);
        soon()
    }
    /// Identity of many subjects, each with an audit entry in this transaction; `None` when the vault has nothing.
    pub fn disclose(
        &mut self,
        whom: &[SubjectId],
        extent: Extent,
        access: &[Access],
    ) -> Result<Vec<Option<Identity>>> {
        let _ = (whom, extent, access);
        soon()
    }
    /// Destroys identity and numbers of a subject; the rest stays.
    pub fn erase(&mut self, subject: &SubjectId, access: &Access) -> Result<()> {
        let _ = (subject, access);
        soon()
    }
    /// Seals up to `limit` people again under the newest keys; how many.
    pub fn rewrap(&mut self, limit: u32) -> Result<u64> {
        let _ = limit;
        soon()
    }
    // ---- references, records, documents
    /// Notes a neighbour's name for a case outside of a settlement.
    pub fn note_reference(
        &mut self,
        case: CaseNo,
        reference: &Reference,
        at: Timestamp,
    ) -> Result<()> {
        let _ = (case, reference, at);
        soon()
    }
    /// Pollers need not ask about this one any more.
    pub fn settle_reference(&mut self, kind: &str, value: &str) -> Result<()> {
        let _ = (kind, value);
        soon()
    }
    /// Keeps records outside of a step.
    pub fn put_records(&mut self, records: &[(CaseNo, Record)]) -> Result<()> {
        let _ = records;
        soon()
    }
    /// Keeps a rendered document, replacing one of the same kind and key.
    pub fn put_document(&mut self, case: CaseNo, document: &Document) -> Result<()> {
        let _ = (case, document);
        soon()
    }
    // ---- audit
    /// Appends to the log.
    pub fn audit(&mut self, entries: &[NewAudit]) -> Result<()> {
        let _ = entries;
        soon()
    }
    // ---- memory
    /// Deploys a file: a version that is there already when the latest has the same digest, else the next.
    pub fn deploy(&mut self, definition: &NewDefinition, at: Timestamp) -> Result<u32> {
        let _ = (definition, at);
        soon()
    }
    /// Sets or removes a setting.
    pub fn set_setting(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        let _ = (key, value);
        soon()
    }
    /// Keeps the answer to a request with an idempotency key.
    pub fn answer_once(
        &mut self,
        scope: &str,
        key: &str,
        digest: &str,
        status: u16,
        body: &str,
        at: Timestamp,
    ) -> Result<()> {
        let _ = (scope, key, digest, status, body, at);
        soon()
    }
    /// Forgets answers older than `before`.
    pub fn forget_answers(&mut self, before: Timestamp) -> Result<u64> {
        let _ = before;
        soon()
    }
}
const _: fn() -> BTreeMap<(), ()> = BTreeMap::new;
