#!/bin/sh
# Starts Redis, an S3 server, two replicas and nginx on this machine; Ctrl-C stops all.
set -eu
cd "$(dirname "$0")/../.."

HTTPS_PORT=${HTTPS_PORT:-8443}
PORT_A=${PORT_A:-8081}
PORT_B=${PORT_B:-8082}
REDIS_PORT=${REDIS_PORT:-6380}
S3_PORT=${S3_PORT:-7070}
RUN=${RUN:-$PWD/examples/cluster/run}

fail() {
    echo "start.sh: $1" >&2
    exit 1
}

# The S3 server of this project's tests, or another one.
S3_SERVER=${S3_SERVER:-$(command -v versitygw || ls "${XDG_CACHE_HOME:-$HOME/.cache}"/verdaccio-cargo/versitygw-* 2>/dev/null || true)}
[ -x "$S3_SERVER" ] || fail 'versitygw is missing: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0, and put it on the PATH'
for program in redis-server nginx openssl; do
    command -v "$program" >/dev/null || fail "$program is missing: apt-get install redis-server nginx openssl"
done
[ -f dist/server/main.js ] || fail 'the server is not built: npm ci && npm run build'
[ -n "${CLUSTER_TOKEN:-}" ] || fail 'CLUSTER_TOKEN is not set: export CLUSTER_TOKEN=$(openssl rand -hex 32)'

umask 077
mkdir -p "$RUN/redis" "$RUN/s3/crates" "$RUN/nginx"
[ -f "$RUN/s3.secret" ] || openssl rand -hex 16 >"$RUN/s3.secret"
[ -f "$RUN/cert.pem" ] || openssl req -x509 -newkey rsa:2048 -nodes -keyout "$RUN/key.pem" -out "$RUN/cert.pem" \
    -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -addext basicConstraints=critical,CA:FALSE 2>/dev/null

# What config.yaml says for the usual ports.
export S3_KEY_ID=cluster S3_SECRET="$(cat "$RUN/s3.secret")"
export VERDACCIO_CARGO_PUBLIC_URL="https://localhost:$HTTPS_PORT"
export VERDACCIO_CARGO_REDIS="redis://127.0.0.1:$REDIS_PORT"
export VERDACCIO_CARGO_STORAGE__S3__ENDPOINT="http://127.0.0.1:$S3_PORT"

started=
trap 'trap - EXIT; kill $started 2>/dev/null || true; wait' EXIT
trap 'exit 0' INT TERM

# start NAME COMMAND…: runs it, its output in a log and its number in a file.
start() {
    name=$1
    shift
    "$@" >>"$RUN/$name.log" 2>&1 &
    echo $! >"$RUN/$name.pid"
    started="$started $!"
}

# answers NAME URL: waits until something answers there.
answers() {
    tries=0
    until curl --silent --output /dev/null --cacert "$RUN/cert.pem" "$2"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "$1 does not answer: see $RUN/$1.log"
        kill -0 "$(cat "$RUN/$1.pid")" 2>/dev/null || fail "$1 ended: see $RUN/$1.log"
        sleep 0.1
    done
}

# replica NAME PORT: a server of its own.
replica() {
    VERDACCIO_CARGO_LISTEN="127.0.0.1:$2" start "$1" \
        node --max-semi-space-size=4 --heap-growing-percent=100 --no-allocation-site-pretenuring dist/server/main.js --config examples/cluster/config.yaml
}

start redis redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --save '' --dir "$RUN/redis"
ROOT_ACCESS_KEY=$S3_KEY_ID ROOT_SECRET_KEY=$S3_SECRET \
    start s3 "$S3_SERVER" --port "127.0.0.1:$S3_PORT" --keep-alive --quiet posix "$RUN/s3"
answers s3 "http://127.0.0.1:$S3_PORT/"
replica replica-a "$PORT_A"
replica replica-b "$PORT_B"
answers replica-a "http://127.0.0.1:$PORT_A/ready"
answers replica-b "http://127.0.0.1:$PORT_B/ready"

sed -e "s|\${REPLICA_A}|127.0.0.1:$PORT_A|" -e "s|\${REPLICA_B}|127.0.0.1:$PORT_B|" \
    -e "s|\${HTTPS_PORT}|127.0.0.1:$HTTPS_PORT|" -e "s|\${TLS_CERT}|$RUN/cert.pem|" -e "s|\${TLS_KEY}|$RUN/key.pem|" \
    examples/cluster/cluster.conf.template >"$RUN/cluster.conf"
cat >"$RUN/nginx.conf" <<END
$([ "$(id -u)" != 0 ] || echo 'user root;')
daemon off;
pid $RUN/nginx/nginx.pid;
error_log $RUN/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path $RUN/nginx/body;
    proxy_temp_path $RUN/nginx/proxy;
    fastcgi_temp_path $RUN/nginx/fastcgi;
    uwsgi_temp_path $RUN/nginx/uwsgi;
    scgi_temp_path $RUN/nginx/scgi;
    include $RUN/cluster.conf;
}
END
start nginx nginx -e "$RUN/nginx.log" -p "$RUN/nginx" -c "$RUN/nginx.conf"
answers nginx "https://localhost:$HTTPS_PORT/"

echo "The cluster serves https://localhost:$HTTPS_PORT/cargo/ (certificate: $RUN/cert.pem)"
wait
