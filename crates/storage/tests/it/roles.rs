//! Each role may do what it needs, and nothing else.

use diesel::connection::SimpleConnection as _;

use crate::{postgres::connect, world::on_postgres};

const FORBIDDEN: [(&str, &[&str]); 4] = [
    (
        "halsonav_api",
        &[
            "DELETE FROM cases",
            "DELETE FROM vault",
            "DELETE FROM answers",
            "UPDATE instances SET state = ''",
            "INSERT INTO effects (case_no, job, adapter, operation, payload, headers, contact, state, attempts, epoch, issued, consumed) VALUES (1, 1, 'a', 'b', '', '', FALSE, 'new', 0, 0, 0, FALSE)",
            "UPDATE effects SET state = 'done'",
            "UPDATE leases SET epoch = 9",
            "DELETE FROM lanes",
            "UPDATE definitions SET text = ''",
            "UPDATE audit SET actor = 'x'",
            "DELETE FROM audit",
            "UPDATE audit_start SET size = 1",
            "UPDATE schema_version SET version = 9",
            "TRUNCATE cases",
            "CREATE TABLE mine (x INT)",
            "DROP TABLE cases",
            "SELECT * FROM audit_0",
        ],
    ),
    (
        "halsonav_worker",
        &[
            "DELETE FROM cases",
            "DELETE FROM subjects",
            "DELETE FROM effects",
            "DELETE FROM instances",
            "DELETE FROM work_items",
            "DELETE FROM milestones",
            "UPDATE definitions SET text = ''",
            "UPDATE audit SET actor = 'x'",
            "DELETE FROM audit",
            "DELETE FROM audit_0",
            "INSERT INTO audit_0 SELECT * FROM audit",
            "TRUNCATE audit",
            "UPDATE audit_start SET size = 1",
            "UPDATE schema_version SET version = 9",
            "ALTER TABLE audit DISABLE TRIGGER ALL",
            "CREATE TABLE mine (x INT)",
            "DROP TABLE seen",
        ],
    ),
    (
        "halsonav_audit",
        &[
            "SELECT * FROM cases",
            "SELECT * FROM vault",
            "SELECT * FROM subjects",
            "UPDATE audit SET actor = 'x'",
            "DELETE FROM audit",
            "TRUNCATE audit",
            "INSERT INTO cases (case_no) VALUES (1)",
            "CREATE TABLE mine (x INT)",
        ],
    ),
    (
        "halsonav_read",
        &[
            "SELECT * FROM vault",
            "SELECT * FROM person_index",
            "INSERT INTO settings VALUES ('a', 'b')",
            "UPDATE cases SET unit = 'x'",
            "DELETE FROM seen",
            "INSERT INTO audit SELECT * FROM audit",
            "SELECT * FROM cases FOR UPDATE",
            "SELECT audit_room(1)",
            "CREATE TABLE mine (x INT)",
        ],
    ),
];

const ALLOWED: [(&str, &[&str]); 4] = [
    (
        "halsonav_api",
        &[
            "SELECT * FROM cases",
            "INSERT INTO settings VALUES ('a', 'b')",
            "UPDATE work_items SET state = 'done'",
            "SELECT * FROM vault",
            "SELECT audit_room(1)",
            "INSERT INTO audit SELECT * FROM audit WHERE FALSE",
        ],
    ),
    (
        "halsonav_worker",
        &[
            "SELECT * FROM cases FOR UPDATE",
            "DELETE FROM timers",
            "DELETE FROM seen",
            "UPDATE effects SET state = 'done'",
            "INSERT INTO audit SELECT * FROM audit WHERE FALSE",
        ],
    ),
    (
        "halsonav_audit",
        &[
            "SELECT * FROM audit",
            "INSERT INTO audit SELECT * FROM audit WHERE FALSE",
            "SELECT audit_room(1)",
        ],
    ),
    (
        "halsonav_read",
        &["SELECT * FROM cases", "SELECT * FROM audit"],
    ),
];

#[test]
fn what_a_role_does_not_need_is_denied() {
    on_postgres(|base| {
        let world = base.world();
        let mut db = connect(world.schema());
        for (role, statements) in FORBIDDEN {
            for sql in statements {
                db.batch_execute(&format!("BEGIN; SET ROLE {role}"))
                    .unwrap();
                let error = db.batch_execute(sql).expect_err(sql).to_string();
                let denied = error.contains("permission denied") || error.contains("must be owner");
                assert!(denied, "{role}: {sql}: {error}");
                db.batch_execute("ROLLBACK").unwrap();
            }
        }
    });
}

#[test]
fn what_a_role_needs_is_granted() {
    on_postgres(|base| {
        let world = base.world();
        let mut db = connect(world.schema());
        for (role, statements) in ALLOWED {
            for sql in statements {
                db.batch_execute(&format!("BEGIN; SET ROLE {role}"))
                    .unwrap();
                let done = db.batch_execute(sql);
                assert!(done.is_ok(), "{role}: {sql}: {done:?}");
                db.batch_execute("ROLLBACK").unwrap();
            }
        }
    });
}
