import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkAgreement } from '../../src/protocol/agreement.ts'
import { parseManifest } from '../../src/protocol/manifest.ts'
import { parseMetadata } from '../../src/protocol/metadata.ts'
import { CRATES_IO_INDEX, sameRegistry } from '../../src/protocol/registry-url.ts'

const OWN = 'sparse+https://crates.example/cargo/'
const OTHER = 'sparse+https://other.example/'
const PACKAGE = '[package]\nname = "foo"\nversion = "1.0.0"\n'
const DEP = {
  name: 'bar',
  version_req: '^1',
  features: [],
  optional: false,
  default_features: true,
  target: null,
  kind: 'normal',
  registry: CRATES_IO_INDEX,
}

function check(toml: string, fields: object): void {
  const metadata = parseMetadata(Buffer.from(JSON.stringify({ name: 'foo', vers: '1.0.0', ...fields })))
  checkAgreement(metadata, parseManifest(Buffer.from(PACKAGE + toml)), (url) => sameRegistry(url, OWN))
}

test('checkAgreement() accepts what cargo sends', () => {
  const own = { ...DEP, registry: undefined }
  for (const [toml, fields] of [
    ['', {}],
    ['links = "z"\nrust-version = "1.70"\n', { links: 'z', rust_version: '1.70' }],
    ['[dependencies]\nbar = "1"\n', { deps: [DEP] }],
    [`[dependencies.bar]\nversion = "1"\nregistry-index = "${OWN}"\n`, { deps: [own] }],
    [
      `[dependencies.bar]\nversion = ">=1,<3"\nregistry-index = "${OTHER}"\n`,
      { deps: [{ ...DEP, version_req: '>=1, <3', registry: OTHER }] },
    ],
    [
      '[dependencies.ren]\nversion = "1"\npackage = "bar"\n',
      { deps: [{ ...DEP, explicit_name_in_toml: 'ren' }] },
    ],
    [
      '[target."cfg(any(unix,windows))".dev-dependencies]\nbar = "1"\n',
      { deps: [{ ...DEP, kind: 'dev', target: 'cfg(any(unix, windows))' }] },
    ],
    ['[target."cfg(r#true)".dependencies]\nbar = "1"\n', { deps: [{ ...DEP, target: 'cfg(true)' }] }],
    [
      '[dependencies.bar]\nversion = "1"\nfeatures = ["a", "b"]\ndefault-features = false\noptional = true\n[features]\nx = ["dep:bar", "y"]\ny = []\n',
      {
        deps: [{ ...DEP, features: ['b', 'a'], default_features: false, optional: true }],
        features: { y: [], x: ['dep:bar', 'y'] },
      },
    ],
    [
      '[dependencies]\nbar = "1"\n[build-dependencies]\nbar = "2"\n',
      { deps: [{ ...DEP, kind: 'build', version_req: '^2' }, DEP] },
    ],
  ] as const) {
    check(toml, fields)
  }
})

test('checkAgreement() refuses any difference that cargo would resolve by', () => {
  const toml = '[dependencies]\nbar = "1"\n[features]\na = []\n'
  const same = { deps: [DEP], features: { a: [] } }
  for (const [fields, message] of [
    [
      { name: 'Foo' },
      'metadata and `Cargo.toml` must agree on `name`: metadata has `Foo`, `Cargo.toml` has `foo`',
    ],
    [{ vers: '1.0.1' }, /`vers`: metadata has `1.0.1`, `Cargo.toml` has `1.0.0`/],
    [{ links: 'z' }, /`links`: metadata has `z`, `Cargo.toml` has nothing/],
    [{ rust_version: '1.70' }, /`rust_version`/],
    [{ deps: [] }, /`dependency`: metadata has nothing, `Cargo.toml` has `bar \(normal\)`/],
    [{ deps: [DEP, { ...DEP, name: 'evil' }] }, /metadata has `evil \(normal\)`, `Cargo.toml` has nothing/],
    [{ deps: [DEP, DEP] }, /`bar \(normal\) #2`/],
    [{ deps: [{ ...DEP, kind: 'dev' }] }, /`bar \(dev\)`/],
    [{ deps: [{ ...DEP, target: 'cfg(unix)' }] }, /`bar \(normal for cfg\(unix\)\)`/],
    [
      { deps: [{ ...DEP, name: 'evil', explicit_name_in_toml: 'bar' }] },
      /`name of dependency bar \(normal\)`: metadata has `evil`/,
    ],
    [{ deps: [{ ...DEP, version_req: '^2' }] }, /metadata has `\^2`, `Cargo.toml` has `\^1`/],
    [{ deps: [{ ...DEP, registry: undefined }] }, /metadata has `this registry`, `Cargo.toml` has `https:/],
    [{ deps: [{ ...DEP, registry: OTHER }] }, /`registry of dependency bar/],
    [{ deps: [{ ...DEP, optional: true }] }, /`optional of/],
    [{ deps: [{ ...DEP, default_features: false }] }, /`default_features of/],
    [{ deps: [{ ...DEP, features: ['x'] }] }, /`features of/],
    [{ deps: [{ ...DEP, lib: true }] }, /`lib of/],
    [{ features: {} }, /`feature`: metadata has nothing, `Cargo.toml` has `a`/],
    [{ features: { a: ['bar/x'] } }, /`feature a`/],
    [{ features: { a: [], constructor: [] } }, /metadata has `constructor`/],
  ] as const) {
    assert.throws(
      () => check(toml, { ...same, ...fields }),
      { code: 'invalid_metadata', message },
      String(message),
    )
  }
})
