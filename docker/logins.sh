#!/usr/bin/env bash
# Run by the image of PostgreSQL when the database is made: one login for each kind of process, with the
# rights that crates/storage/migrations/postgres gives it, and a place for the tables.
set -euo pipefail

login() { # NAME GROUP
    psql -v ON_ERROR_STOP=1 -q -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
        -v name="hub_$1" -v group="$2" -v password="$(cat "/run/secrets/$1")" <<'EOF'
CREATE USER :"name" IN ROLE :"group" PASSWORD :'password';
ALTER USER :"name" SET search_path = halsonav;
EOF
}

psql -v ON_ERROR_STOP=1 -q -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f "${ROLES:-/roles.sql}" \
    -c 'CREATE SCHEMA halsonav AUTHORIZATION halsonav_migrator' \
    -c 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
login migrate halsonav_migrator
login api halsonav_api
login worker halsonav_worker
# What it makes belongs to the group, whoever migrates the next time.
psql -v ON_ERROR_STOP=1 -q -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
    -c 'ALTER USER hub_migrate SET role = halsonav_migrator'
