#!/usr/bin/env bash
# Real input, by hand (`npm run real`): needs crates.io, which the suite must not. A workspace with well over 150
# third-party crates is fetched by cargo as this machine has it set up, imported from cargo's own cache, and then
# resolved, built and vendored from our registry alone (it has no uplinks), as source replacement; the lock files must
# be equal.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
port=${PORT:-18099}

mkdir -p "$work/app/server/src" "$work/app/core/src"
cat > "$work/app/Cargo.toml" <<'TOML'
[workspace]
resolver = "2"
members = ["server", "core"]

[profile.dev]
debug = false
TOML
cat > "$work/app/core/Cargo.toml" <<'TOML'
[package]
name = "core-types"
version = "0.1.0"
edition = "2021"

[dependencies]
chrono = { version = "0.4", features = ["serde"] }
serde = { version = "1", features = ["derive"] }
uuid = { version = "1", features = ["serde", "v4"] }
TOML
cat > "$work/app/core/src/lib.rs" <<'RS'
#[derive(Debug, serde::Serialize)]
pub struct Job {
    pub id: uuid::Uuid,
    pub at: chrono::DateTime<chrono::Utc>,
}
RS
cat > "$work/app/server/Cargo.toml" <<'TOML'
[package]
name = "server"
version = "0.1.0"
edition = "2021"

[dependencies]
core-types = { path = "../core" }
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
cat > "$work/app/server/src/main.rs" <<'RS'
fn main() -> anyhow::Result<()> {
    let job = core_types::Job { id: uuid::Uuid::nil(), at: chrono::DateTime::UNIX_EPOCH };
    println!("{}", serde_json::to_string(&job)?);
    Ok(())
}
RS

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
"$node" dist/server/main.js import "$cache" --owner importer --index "$index" --data "$work/data" 2> "$work/import.log"
"$node" dist/server/main.js --listen "127.0.0.1:$port" --data "$work/data" --no-uplinks > "$work/server.out" 2> "$work/server.log" &
server=$!
for _ in $(seq 100); do curl -fs "http://127.0.0.1:$port/ready" > /dev/null && break || sleep 0.1; done

echo '== resolved, built and vendored from us alone'
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
cargo build --quiet --locked && echo 'builds'
test "$(target/debug/server)" = '{"id":"00000000-0000-0000-0000-000000000000","at":"1970-01-01T00:00:00Z"}' && echo 'runs'
cargo vendor --quiet --locked --respect-source-config "$work/vendor" > /dev/null
echo "$(ls "$work/vendor" | wc -l) crates vendored"
mkdir -p .cargo
printf '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "%s"\n' "$work/vendor" > .cargo/config.toml
kill "$server"; wait "$server" || true; server=
rm -rf target
CARGO_HOME=$work/home-empty cargo build --quiet --locked --offline && echo 'builds offline from the vendored crates'
