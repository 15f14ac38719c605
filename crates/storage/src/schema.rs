//! The tables, as diesel knows them. The same for every database; `migrations/` makes them.

diesel::table! {
    rounds (round_no) {
        round_no -> BigInt,
        id -> Text,
        name -> Text,
        opened -> BigInt,
        closed -> Nullable<BigInt>,
        data -> Text,
    }
}

diesel::table! {
    subjects (subject_no) {
        subject_no -> BigInt,
        subject_id -> Binary,
        status -> Nullable<Text>,
        protection -> Text,
        test_person -> Bool,
        paper_opt_out -> Bool,
        has_address -> Bool,
        county -> Nullable<Text>,
        language -> Nullable<Text>,
        opt_outs -> Text,
        fetched -> Nullable<BigInt>,
        merged_into -> Nullable<BigInt>,
    }
}

diesel::table! {
    vault (subject_no) {
        subject_no -> BigInt,
        key_version -> BigInt,
        person_id -> Binary,
        name -> Nullable<Binary>,
        address -> Nullable<Binary>,
    }
}

diesel::table! {
    person_index (person_key) {
        person_key -> Binary,
        key_version -> BigInt,
        subject_no -> BigInt,
    }
}

diesel::table! {
    cases (case_no) {
        case_no -> BigInt,
        case_id -> Binary,
        subject_no -> BigInt,
        round_no -> BigInt,
        unit -> Text,
        state -> Text,
        outcome -> Nullable<Text>,
        waiting_for -> Nullable<Text>,
        next_wake -> Nullable<BigInt>,
        definition -> Text,
        definition_version -> BigInt,
        duplicate_of -> Nullable<BigInt>,
        started -> BigInt,
        ended -> Nullable<BigInt>,
    }
}

diesel::table! {
    instances (case_no) {
        case_no -> BigInt,
        revision -> BigInt,
        updated -> BigInt,
        state -> Binary,
    }
}

diesel::table! {
    seen (case_no, message) {
        case_no -> BigInt,
        message -> Binary,
        at -> BigInt,
    }
}

diesel::table! {
    effects (effect_no) {
        effect_no -> BigInt,
        case_no -> BigInt,
        job -> BigInt,
        adapter -> Text,
        operation -> Text,
        payload -> Text,
        headers -> Text,
        contact -> Bool,
        state -> Text,
        attempts -> BigInt,
        due -> Nullable<BigInt>,
        epoch -> BigInt,
        problem -> Nullable<Text>,
        issued -> BigInt,
        settled -> Nullable<BigInt>,
        consumed -> Bool,
    }
}

diesel::table! {
    timers (case_no, timer) {
        case_no -> BigInt,
        timer -> BigInt,
        due -> Nullable<BigInt>,
        element -> Text,
    }
}

diesel::table! {
    subscriptions (case_no, sub) {
        case_no -> BigInt,
        sub -> BigInt,
        is_signal -> Bool,
        name -> Text,
        correlation -> Nullable<Text>,
    }
}

diesel::table! {
    work_items (item_no) {
        item_no -> BigInt,
        case_no -> BigInt,
        job -> BigInt,
        form -> Nullable<Text>,
        candidates -> Text,
        due -> BigInt,
        follow_up -> Nullable<BigInt>,
        priority -> BigInt,
        body -> Text,
        is_open -> Bool,
        state -> Text,
        claimed_by -> Nullable<Text>,
        result -> Nullable<Text>,
        revision -> BigInt,
        created -> BigInt,
        closed -> Nullable<BigInt>,
    }
}

diesel::table! {
    incidents (incident_no) {
        incident_no -> BigInt,
        case_no -> Nullable<BigInt>,
        incident -> Nullable<BigInt>,
        element -> Text,
        job -> Nullable<BigInt>,
        kind -> Text,
        code -> Text,
        message -> Text,
        opened -> BigInt,
        open_at -> Nullable<BigInt>,
        resolved -> Nullable<BigInt>,
        how -> Nullable<Text>,
    }
}

diesel::table! {
    news (news_no) {
        news_no -> BigInt,
        envelope -> Text,
    }
}

diesel::table! {
    parked (parked_no) {
        parked_no -> BigInt,
        case_no -> Nullable<BigInt>,
        envelope -> Text,
        code -> Text,
        message -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    refs (ref_no) {
        ref_no -> BigInt,
        kind -> Text,
        value -> Text,
        case_no -> BigInt,
        effect_no -> Nullable<BigInt>,
        open_since -> Nullable<BigInt>,
    }
}

diesel::table! {
    milestones (case_no, name) {
        case_no -> BigInt,
        name -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    records (record_no) {
        record_no -> BigInt,
        case_no -> BigInt,
        kind -> Text,
        key -> Text,
        at -> BigInt,
        data -> Text,
    }
}

diesel::table! {
    documents (document_no) {
        document_no -> BigInt,
        case_no -> BigInt,
        kind -> Text,
        key -> Text,
        media_type -> Text,
        at -> BigInt,
        bytes -> Binary,
    }
}

diesel::table! {
    audit (seq) {
        seq -> BigInt,
        at -> BigInt,
        actor -> Text,
        action -> Text,
        purpose -> Text,
        unit -> Nullable<Text>,
        subject -> Nullable<Binary>,
        case_id -> Nullable<Binary>,
        detail -> Text,
        leaf -> Binary,
        link -> Binary,
    }
}

diesel::table! {
    audit_start (size) {
        size -> BigInt,
        link -> Binary,
        peaks -> Binary,
        room -> BigInt,
    }
}

diesel::table! {
    schema_version (version) {
        version -> BigInt,
        works_from -> BigInt,
    }
}

diesel::table! {
    definitions (definition_no) {
        definition_no -> BigInt,
        kind -> Text,
        id -> Text,
        version -> BigInt,
        digest -> Text,
        tag -> Nullable<Text>,
        deployment -> Text,
        text -> Text,
        deployed -> BigInt,
    }
}

diesel::table! {
    leases (name) {
        name -> Text,
        holder -> Text,
        epoch -> BigInt,
        until -> BigInt,
    }
}

diesel::table! {
    lanes (adapter) {
        adapter -> Text,
        stopped -> Nullable<BigInt>,
        until -> Nullable<BigInt>,
        actor -> Text,
        why -> Text,
    }
}

diesel::table! {
    settings (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    answers (scope, key) {
        scope -> Text,
        key -> Text,
        digest -> Text,
        status -> BigInt,
        body -> Text,
        at -> BigInt,
    }
}

diesel::joinable!(instances -> cases (case_no));
diesel::joinable!(effects -> cases (case_no));
diesel::joinable!(timers -> cases (case_no));
diesel::joinable!(subscriptions -> cases (case_no));
diesel::joinable!(work_items -> cases (case_no));
diesel::joinable!(incidents -> cases (case_no));
diesel::joinable!(refs -> cases (case_no));
diesel::joinable!(milestones -> cases (case_no));
diesel::joinable!(records -> cases (case_no));
diesel::joinable!(cases -> subjects (subject_no));
diesel::joinable!(cases -> rounds (round_no));

diesel::allow_tables_to_appear_in_same_query!(
    answers,
    audit,
    cases,
    definitions,
    documents,
    effects,
    incidents,
    instances,
    lanes,
    leases,
    milestones,
    news,
    parked,
    person_index,
    records,
    refs,
    rounds,
    seen,
    settings,
    subjects,
    subscriptions,
    timers,
    vault,
    work_items
);
diesel::allow_columns_to_appear_in_same_group_by_clause!(cases::unit, milestones::name);
