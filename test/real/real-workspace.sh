#!/usr/bin/env bash
# Real input, by hand (`npm run real`): needs crates.io, which the suite must not. A workspace with well over 150
# third-party crates is fetched by cargo as this machine has it set up, imported from cargo's own cache, and then
# resolved, checked and vendored from our registry alone, as source replacement; the lock files must be equal.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
port=${PORT:-18099}

mkdir -p "$work/app/src"
cat > "$work/app/Cargo.toml" <<'TOML'
[package]
name = "app"
version = "0.1.0"
edition = "2021"

[dependencies]
anyhow = "1"
axum = "0.7"
chrono = "0.4"
clap = { version = "4", features = ["derive"] }
futures = "0.3"
rand = "0.8"
regex = "1"
reqwest = { version = "0.12", default-features = false, features = ["json", "rustls-tls"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
thiserror = "1"
tokio = { version = "1", features = ["full"] }
toml = "0.8"
tracing = "0.1"
tracing-subscriber = "0.3"
uuid = { version = "1", features = ["v4"] }
TOML
echo 'fn main() {}' > "$work/app/src/main.rs"

echo '== fetched without us'
export CARGO_HOME=$work/home-direct
(cd "$work/app" && cargo fetch --quiet)
cp "$work/app/Cargo.lock" "$work/direct.lock"
cache=$(echo "$CARGO_HOME"/registry/cache/*)
index=$(echo "$CARGO_HOME"/registry/index/*/.cache)
echo "$(ls "$cache" | wc -l) crates"

echo '== imported'
cd "$root"
node=$root/node_modules/.bin/node
"$node" dist/server/main.js import "$cache" --owner importer --index "$index" --data "$work/data"
"$node" dist/server/main.js --listen "127.0.0.1:$port" --data "$work/data" > "$work/server.out" 2> "$work/server.log" &
server=$!
for _ in $(seq 100); do curl -fs "http://127.0.0.1:$port/ready" > /dev/null && break || sleep 0.1; done

echo '== resolved, checked and vendored from us alone'
export CARGO_HOME=$work/home-ours
mkdir -p "$CARGO_HOME"
cat > "$CARGO_HOME/config.toml" <<TOML
[registries.ours]
index = "sparse+http://127.0.0.1:$port/cargo/"
[source.crates-io]
replace-with = "ours"
TOML
cd "$work/app"
rm Cargo.lock
cargo generate-lockfile --quiet
diff "$work/direct.lock" Cargo.lock && echo 'lock files are equal'
cargo check --quiet --locked && echo 'checks'
cargo vendor --quiet --locked --respect-source-config "$work/vendor" > /dev/null
echo "$(ls "$work/vendor" | wc -l) crates vendored"
mkdir -p .cargo
printf '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "%s"\n' "$work/vendor" > .cargo/config.toml
kill "$server"; wait "$server" || true; server=
CARGO_HOME=$work/home-empty cargo check --quiet --locked --offline && echo 'checks offline from the vendored crates'
