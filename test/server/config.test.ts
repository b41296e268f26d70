import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/server/config.ts'

test('parseConfig() fills in the defaults', () => {
  for (const input of [undefined, null, {}]) {
    assert.deepEqual(parseConfig(input), {
      listen: { host: '127.0.0.1', port: 8081, wildcard: false },
      trust_proxy: [],
      h2c: false,
      client_header_timeout: 60_000,
      keepalive_timeout: 75_000,
      send_timeout: 120_000,
      workers: 1,
      storage: { fs: { path: './registry-data' } },
      cargo: {},
    })
  }
})

test('parseConfig() takes every key', () => {
  const token = { token_env: 'CI', user: 'ci', groups: ['team'], expires: '2030-01-01', crates: ['a-*'] }
  const config = parseConfig({
    listen: '[::]:443',
    public_url: 'https://crates.example.org/',
    tls: { cert: 'cert.pem', key: 'key.pem' },
    storage: { fs: { path: '/data' } },
    redis: 'redis://127.0.0.1:6379',
    auth: { htpasswd: 'users', tokens: [{ ...token, actions: ['read', 'publish'] }] },
    cargo: { mount: '/crates', limits: { crate: '20MiB' } },
  })
  assert.deepEqual(config.listen, { host: '::', port: 443, wildcard: true })
  assert.equal(config.public_url, 'https://crates.example.org')
  assert.deepEqual(config.auth?.tokens[0]?.actions, ['read', 'publish'])
  assert.deepEqual(config.cargo, { mount: '/crates', limits: { crate: '20MiB' } })
})

const WRONG: readonly (readonly [input: unknown, key: RegExp])[] = [
  [[], /`options`: /],
  [{ lisen: 'x' }, /unknown key `lisen`/],
  [{ listen: '8081' }, /`listen`: must be `HOST:PORT`/],
  [{ listen: 'localhost:65536' }, /`listen`: must be `HOST:PORT`/],
  [{ listen: '0.0.0.0:8081' }, /`public_url`: must be set/],
  [{ listen: '[::]:8081' }, /`public_url`: must be set/],
  [{ public_url: 'crates.example.org' }, /`public_url`: must be an http or https URL/],
  [{ public_url: 'ftp://example.org' }, /`public_url`: must be an http or https URL/],
  [{ public_url: 'https://example.org/?a=b' }, /`public_url`: must have no/],
  [{ listen: 8081 }, /`listen`: must be `HOST:PORT`/],
  [{ h2c: 'yes' }, /`h2c`: must be true or false/],
  [{ h2c: true, tls: { cert: 'cert.pem', key: 'key.pem' } }, /`h2c`: must be off: with `tls` there is HTTP/],
  [{ h2c: true, trust_proxy: 1 }, /`h2c`: must be off: `trust_proxy` says that a proxy is in front/],
  [{ h2c: true, trust_proxy: ['10.0.0.0/8'] }, /`h2c`: must be off: `trust_proxy` says/],
  [{ h2c: true, public_url: 'https://example.org' }, /`h2c`: must be off: an https `public_url` says/],
  [{ tls: { cert: 'cert.pem' } }, /`tls\.key`: must be the name of a PEM file with the private key/],
  [{ tls: { key: 'key.pem' } }, /`tls\.cert`: must be the name of a PEM file with the certificate/],
  [{ tls: { cert: '', key: 'key.pem' } }, /`tls\.cert`: must be the name/],
  [{ auth: { htpasswd: 1 } }, /`auth\.htpasswd`: must be the name of a file/],
  [{ storage: {} }, /`storage`: must have one of `fs` \(`--data` is a part of it\) and `s3`, and not both/],
  [{ storage: { fs: { path: 'x' }, s3: { bucket: 'y' } } }, /`storage`: must have one of/],
  [{ storage: { s3: {} } }, /`storage\.s3\.bucket`: must be the name of a bucket/],
  [{ storage: { s3: { bucket: 'a/b' } } }, /`storage\.s3\.bucket`: must be the name of a bucket/],
  [{ storage: { s3: { bucket: 'a', endpoint: 'minio:9000' } } }, /`storage\.s3\.endpoint`: must be an http/],
  [{ storage: { s3: { bucket: 'a', prefix: '/a' } } }, /`storage\.s3\.prefix`: must be words of/],
  [{ storage: { s3: { bucket: 'a', secret_access_key_env: 'A' } } }, /`storage\.s3`: must have both of/],
  [
    { storage: { s3: { bucket: 'a', secret_access_key: 'x' } } },
    /unknown key `storage\.s3\.secret_access_key`/,
  ],
  [{ storage: { fs: { path: 1 } } }, /`storage\.fs\.path`: must be the name of a folder/],
  [{ redis: 'http://127.0.0.1' }, /`redis`: must be a redis or rediss URL/],
  [{ auth: { tokens: [{ user: 'ci' }] } }, /`auth\.tokens\.0`: must have one of/],
  [
    { auth: { tokens: [{ user: 'ci', token_env: 'A', token_sha256: 'a'.repeat(64) }] } },
    /`auth\.tokens\.0`: must have one of/,
  ],
  [{ auth: { tokens: [{ user: 'ci', token: 'secret' }] } }, /unknown key `auth\.tokens\.0\.token`/],
  [
    { auth: { tokens: [{ user: 'ci', token_sha256: 'abc' }] } },
    /`auth\.tokens\.0\.token_sha256`: must be 64/,
  ],
  [
    { auth: { tokens: [{ token_env: 'A', user: 'ci', actions: ['fly'] }] } },
    /`auth\.tokens\.0\.actions\.0`: /,
  ],
  [{ auth: { tokens: [{ token_env: 'A', user: 'ci', expires: 'soon' }] } }, /`auth\.tokens\.0\.expires`: /],
  [{ cargo: { mout: '/x' } }, /unknown key `cargo\.mout`/],
  [{ cargo: { mount: 'x' } }, /`cargo\.mount`: must be empty or a path/],
  [{ cargo: { limits: { crate: 'big' } } }, /`cargo\.limits\.crate`: /],
]

for (const [input, problem] of WRONG) {
  test(`parseConfig() names the key when given ${JSON.stringify(input)}`, () => {
    assert.throws(() => parseConfig(input), { name: 'ConfigError', message: problem })
  })
}

test('parseConfig() names every wrong key at once and repeats no token', () => {
  assert.throws(
    () => parseConfig({ lisen: 'x', auth: { tokens: [{ user: 'ci', token_sha256: 'hunter2' }] } }),
    (error: Error) =>
      /lisen/.test(error.message) && /token_sha256/.test(error.message) && !/hunter2/.test(error.message),
  )
})
