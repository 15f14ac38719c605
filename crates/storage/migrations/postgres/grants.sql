-- Who may do what. Run by the owner after each migration; running it again changes nothing.
--
-- halsonav_api     answers requests: reads, takes people and rounds in, work and answers; deletes nothing.
-- halsonav_worker  every other role of the hub. What was decided or done it can change, never delete.
-- halsonav_audit   appends to the log and reads it, nothing else.
-- halsonav_read    reads, but no identity: for statistics and for operators at a prompt.
--
-- Nobody may change or delete what is in the log. Whole stretches of it are dropped by the owner.

DO $$
DECLARE
    place   TEXT := quote_ident(current_schema());
    readers TEXT := 'halsonav_api, halsonav_worker, halsonav_read';
    name    TEXT;
BEGIN
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %s FROM PUBLIC', place);
    EXECUTE format('GRANT USAGE ON SCHEMA %s TO halsonav_audit, %s', place, readers);
    -- Who does not own the schema is only warned.
    IF NOT has_schema_privilege('halsonav_worker', current_schema(), 'USAGE') THEN
        RAISE EXCEPTION 'the schema must belong to halsonav_migrator';
    END IF;

    FOREACH name IN ARRAY ARRAY[
        'answers', 'audit', 'audit_start', 'cases', 'definitions', 'documents', 'effects',
        'incidents', 'instances', 'lanes', 'leases', 'milestones', 'news', 'parked', 'records', 'refs',
        'rounds', 'schema_version', 'seen', 'settings', 'subjects', 'subscriptions', 'timers', 'work_items'
    ] LOOP
        EXECUTE format('GRANT SELECT ON %I TO %s', name, readers);
    END LOOP;
    GRANT SELECT ON vault, person_index TO halsonav_api, halsonav_worker;
    GRANT SELECT ON audit, audit_start, schema_version TO halsonav_audit;

    FOREACH name IN ARRAY ARRAY[
        'answers', 'cases', 'documents', 'incidents', 'lanes', 'person_index', 'records', 'rounds',
        'settings', 'subjects', 'vault', 'work_items'
    ] LOOP
        EXECUTE format('GRANT INSERT, UPDATE ON %I TO halsonav_api, halsonav_worker', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY[
        'effects', 'instances', 'leases', 'milestones', 'news', 'parked', 'refs', 'seen',
        'subscriptions', 'timers'
    ] LOOP
        EXECUTE format('GRANT INSERT, UPDATE ON %I TO halsonav_worker', name);
    END LOOP;
    GRANT INSERT ON definitions TO halsonav_worker;
    FOREACH name IN ARRAY ARRAY[
        'answers', 'leases', 'news', 'parked', 'person_index', 'seen', 'settings', 'subscriptions',
        'timers', 'vault'
    ] LOOP
        EXECUTE format('GRANT DELETE ON %I TO halsonav_worker', name);
    END LOOP;

    GRANT INSERT ON audit TO halsonav_api, halsonav_worker, halsonav_audit;
    GRANT EXECUTE ON FUNCTION audit_room(BIGINT) TO halsonav_api, halsonav_worker, halsonav_audit;
END $$;
