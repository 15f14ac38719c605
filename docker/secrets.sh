#!/usr/bin/env bash
# Makes the passwords of PostgreSQL's logins and the addresses that hold them, in docker/secrets, once;
# and a docker/config to fill in.
set -euo pipefail
cd "$(dirname "$0")"

umask 077
mkdir -p secrets config
for name in postgres migrate api worker; do
    if [[ ! -s "secrets/$name" ]]; then
        od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"secrets/$name"
    fi
done
for name in migrate api worker; do
    printf 'postgresql://hub_%s:%s@postgres:5432/halsonav' "$name" "$(cat "secrets/$name")" \
        >"secrets/store-$name"
done
# Containers read them under users of their own; the folder keeps others on this machine out.
chmod 444 secrets/*
if [[ ! -e config/site.toml ]]; then
    cp site.example.toml config/site.toml
fi
chmod 755 config
chmod 644 config/site.toml
echo "next: docker/config/site.toml, and the issuer's keys as docker/config/jwks.json" >&2
