-- The roles of the hub, as groups without login. Run once for each server by somebody who may make
-- roles; `halsonav migrate` does it when it may. Then give each process a login of its own:
--
--   CREATE USER region_worker IN ROLE halsonav_worker PASSWORD '…';
--
-- halsonav_migrator owns the tables and is for `halsonav migrate` alone. It needs a place for them:
--
--   CREATE SCHEMA halsonav AUTHORIZATION halsonav_migrator;

DO $$
DECLARE
    role TEXT;
BEGIN
    FOREACH role IN ARRAY ARRAY[
        'halsonav_migrator', 'halsonav_api', 'halsonav_worker', 'halsonav_audit', 'halsonav_read'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                -- Somebody else was first.
                NULL;
            END;
        END IF;
    END LOOP;
END $$;
