-- Everything the hub remembers. Time is milliseconds since 1970 in UTC. Ids of cases and subjects
-- are 16 random bytes; hot tables are keyed by the case's number instead.

CREATE TABLE rounds (
    round_no INTEGER PRIMARY KEY NOT NULL,
    id       TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    opened   BIGINT NOT NULL,
    closed   BIGINT,
    data     TEXT NOT NULL
);

-- Flags of the register. No identity.
CREATE TABLE subjects (
    subject_no    INTEGER PRIMARY KEY NOT NULL,
    subject_id    BLOB NOT NULL UNIQUE,
    status        TEXT,
    protection    TEXT NOT NULL,
    test_person   BOOLEAN NOT NULL,
    paper_opt_out BOOLEAN NOT NULL,
    has_address   BOOLEAN NOT NULL,
    county        TEXT,
    language      TEXT,
    opt_outs      TEXT NOT NULL,
    fetched       BIGINT,
    merged_into   BIGINT REFERENCES subjects (subject_no)
);

-- Identity, sealed.
CREATE TABLE vault (
    subject_no  INTEGER PRIMARY KEY NOT NULL REFERENCES subjects (subject_no),
    key_version BIGINT NOT NULL,
    person_id   BLOB NOT NULL,
    name        BLOB,
    address     BLOB
);
CREATE INDEX vault_key_version ON vault (key_version);

-- Keyed hash of every number a person has had.
CREATE TABLE person_index (
    person_key  BLOB PRIMARY KEY NOT NULL,
    key_version BIGINT NOT NULL,
    subject_no  BIGINT NOT NULL REFERENCES subjects (subject_no)
) WITHOUT ROWID;
CREATE INDEX person_index_subject ON person_index (subject_no);

-- The ledger.
CREATE TABLE cases (
    case_no            INTEGER PRIMARY KEY NOT NULL,
    case_id            BLOB NOT NULL UNIQUE,
    subject_no         BIGINT NOT NULL REFERENCES subjects (subject_no),
    round_no           BIGINT NOT NULL REFERENCES rounds (round_no),
    unit               TEXT NOT NULL,
    state              TEXT NOT NULL,
    outcome            TEXT,
    waiting_for        TEXT,
    next_wake          BIGINT,
    definition         TEXT NOT NULL,
    definition_version BIGINT NOT NULL,
    duplicate_of       BIGINT REFERENCES cases (case_no),
    started            BIGINT NOT NULL,
    ended              BIGINT,
    UNIQUE (subject_no, round_no)
);

CREATE TABLE instances (
    case_no  INTEGER PRIMARY KEY NOT NULL REFERENCES cases (case_no),
    revision BIGINT NOT NULL,
    updated  BIGINT NOT NULL,
    state    BLOB NOT NULL
);

-- Messages seen. Clustered by case, since random keys cost a factor of five; 0 = about no case.
CREATE TABLE seen (
    case_no BIGINT NOT NULL,
    message BLOB NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (case_no, message)
) WITHOUT ROWID;

CREATE TABLE effects (
    effect_no    INTEGER PRIMARY KEY NOT NULL,
    case_no      BIGINT NOT NULL REFERENCES cases (case_no),
    job          BIGINT NOT NULL,
    adapter      TEXT NOT NULL,
    operation    TEXT NOT NULL,
    payload      TEXT NOT NULL,
    headers      TEXT NOT NULL,
    contact      BOOLEAN NOT NULL,
    state        TEXT NOT NULL,
    attempts     BIGINT NOT NULL,
    due          BIGINT,
    epoch        BIGINT NOT NULL,
    problem      TEXT,
    issued       BIGINT NOT NULL,
    settled      BIGINT,
    -- the process has taken the outcome in, or no longer waits for one
    consumed     BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX effects_job ON effects (case_no, job);
-- Only what the relay has to do is in here, so it stays small.
CREATE INDEX effects_due ON effects (due, effect_no) WHERE due IS NOT NULL;
CREATE INDEX effects_sending ON effects (adapter, effect_no) WHERE state = 'sending';
CREATE INDEX effects_held ON effects (case_no) WHERE state = 'held';
CREATE INDEX effects_stopped ON effects (adapter, effect_no) WHERE state = 'stopped';

-- due: null once it was announced; the case still waits for it.
CREATE TABLE timers (
    case_no BIGINT NOT NULL REFERENCES cases (case_no),
    timer   BIGINT NOT NULL,
    due     BIGINT,
    element TEXT NOT NULL,
    PRIMARY KEY (case_no, timer)
) WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due, case_no, timer) WHERE due IS NOT NULL;

-- correlation: null when it is the case itself, the usual.
CREATE TABLE subscriptions (
    case_no     BIGINT NOT NULL REFERENCES cases (case_no),
    sub         BIGINT NOT NULL,
    is_signal   BOOLEAN NOT NULL,
    name        TEXT NOT NULL,
    correlation TEXT,
    PRIMARY KEY (case_no, sub)
) WITHOUT ROWID;
CREATE INDEX subscriptions_correlation ON subscriptions (correlation, name) WHERE correlation IS NOT NULL;

CREATE TABLE work_items (
    item_no    INTEGER PRIMARY KEY NOT NULL,
    case_no    BIGINT NOT NULL REFERENCES cases (case_no),
    job        BIGINT NOT NULL,
    form       TEXT,
    -- '|nurse|doctor|', so that one can be searched for
    candidates TEXT NOT NULL,
    -- the largest number when there is none, so that pages have an order
    due        BIGINT NOT NULL,
    follow_up  BIGINT,
    priority   BIGINT NOT NULL,
    -- what nobody searches by: element, name, assignee, payload, headers
    body       TEXT NOT NULL,
    is_open    BOOLEAN NOT NULL,
    state      TEXT NOT NULL,
    claimed_by TEXT,
    result     TEXT,
    revision   BIGINT NOT NULL,
    created    BIGINT NOT NULL,
    closed     BIGINT
);
CREATE UNIQUE INDEX work_items_job ON work_items (case_no, job);
CREATE INDEX work_items_open ON work_items (is_open, due, item_no);

-- open_at: when opened, null once resolved, so that open ones are few to look through.
CREATE TABLE incidents (
    incident_no INTEGER PRIMARY KEY NOT NULL,
    case_no     BIGINT REFERENCES cases (case_no),
    incident    BIGINT,
    element     TEXT NOT NULL,
    job         BIGINT,
    kind        TEXT NOT NULL,
    code        TEXT NOT NULL,
    message     TEXT NOT NULL,
    opened      BIGINT NOT NULL,
    open_at     BIGINT,
    resolved    BIGINT,
    how         TEXT
);
CREATE UNIQUE INDEX incidents_case ON incidents (case_no, incident);
CREATE INDEX incidents_open ON incidents (open_at, incident_no) WHERE open_at IS NOT NULL;

CREATE TABLE parked (
    parked_no INTEGER PRIMARY KEY NOT NULL,
    case_no   BIGINT REFERENCES cases (case_no),
    envelope  TEXT NOT NULL,
    code      TEXT NOT NULL,
    message   TEXT NOT NULL,
    at        BIGINT NOT NULL
);
CREATE INDEX parked_case ON parked (case_no, parked_no);

-- What the hub itself has to say, until it is on the bus. Numbers are never used again: what was said is
-- taken out by its number.
CREATE TABLE news (
    news_no  INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    envelope TEXT NOT NULL
);

-- Neighbours' names. open_since: null once a poller need not ask any more.
CREATE TABLE refs (
    ref_no     INTEGER PRIMARY KEY NOT NULL,
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    case_no    BIGINT NOT NULL REFERENCES cases (case_no),
    effect_no  BIGINT,
    open_since BIGINT
);
CREATE UNIQUE INDEX refs_value ON refs (kind, value);
CREATE INDEX refs_open ON refs (kind, open_since, ref_no) WHERE open_since IS NOT NULL;
CREATE INDEX refs_case ON refs (case_no);

CREATE TABLE milestones (
    case_no BIGINT NOT NULL REFERENCES cases (case_no),
    name    TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (case_no, name)
) WITHOUT ROWID;

-- What the API shows: bookings, letters, answers, values, consents, profiles.
CREATE TABLE records (
    record_no INTEGER PRIMARY KEY NOT NULL,
    case_no   BIGINT NOT NULL REFERENCES cases (case_no),
    kind      TEXT NOT NULL,
    key       TEXT NOT NULL,
    at        BIGINT NOT NULL,
    data      TEXT NOT NULL
);
CREATE UNIQUE INDEX records_key ON records (case_no, kind, key);
CREATE INDEX records_kind ON records (kind, record_no);

CREATE TABLE documents (
    document_no INTEGER PRIMARY KEY NOT NULL,
    case_no     BIGINT NOT NULL REFERENCES cases (case_no),
    kind        TEXT NOT NULL,
    key         TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    at          BIGINT NOT NULL,
    bytes       BLOB NOT NULL
);
CREATE UNIQUE INDEX documents_key ON documents (case_no, kind, key);

-- Where the log starts: what was dropped ended with entry size, with this link and these Merkle peaks.
-- room: whole stretches of so many entries are dropped at a time.
CREATE TABLE audit_start (
    size  BIGINT PRIMARY KEY NOT NULL,
    link  BLOB NOT NULL,
    peaks BLOB NOT NULL,
    room  BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO audit_start VALUES (0, zeroblob(32), x'', 1000000);

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY NOT NULL,
    at      BIGINT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    purpose TEXT NOT NULL,
    unit    TEXT,
    subject BLOB,
    case_id BLOB,
    detail  TEXT NOT NULL,
    leaf    BLOB NOT NULL,
    link    BLOB NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, seq) WHERE subject IS NOT NULL;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE definitions (
    definition_no INTEGER PRIMARY KEY NOT NULL,
    kind          TEXT NOT NULL,
    id            TEXT NOT NULL,
    version       BIGINT NOT NULL,
    digest        TEXT NOT NULL,
    tag           TEXT,
    deployment    TEXT NOT NULL,
    text          TEXT NOT NULL,
    deployed      BIGINT NOT NULL
);
CREATE UNIQUE INDEX definitions_version ON definitions (kind, id, version);

-- until: on the database's own clock.
CREATE TABLE leases (
    name   TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    epoch  BIGINT NOT NULL,
    until  BIGINT NOT NULL
) WITHOUT ROWID;

-- Lanes that were ever stopped. stopped: since when, null once started. until: when it starts by itself.
CREATE TABLE lanes (
    adapter TEXT PRIMARY KEY NOT NULL,
    stopped BIGINT,
    until   BIGINT,
    actor   TEXT NOT NULL,
    why     TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE answers (
    scope  TEXT NOT NULL,
    key    TEXT NOT NULL,
    digest TEXT NOT NULL,
    status BIGINT NOT NULL,
    body   TEXT NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID;

-- version: of these tables. works_from: the oldest version a program may have been made for and still
-- work with them. See migrations/README.md.
CREATE TABLE schema_version (
    version    BIGINT PRIMARY KEY NOT NULL,
    works_from BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO schema_version VALUES (1, 1);
