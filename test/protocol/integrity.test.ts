import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IndexDep, IndexEntry } from '../../src/protocol/index-entry.ts'
import { checkIntegrity } from '../../src/protocol/integrity.ts'
import type { Manifest } from '../../src/protocol/manifest.ts'
import { CRATES_IO_INDEX } from '../../src/protocol/registry-url.ts'

const ALLOWED = 'sparse+https://allowed.example/'
const MANIFEST: Manifest = {
  name: 'foo',
  version: '1.0.0',
  deps: [],
  features: {},
  authors: [],
  keywords: [],
  categories: [],
  targets: { lib: true, bins: [], autolib: true, autobins: true },
}
const ENTRY: IndexEntry = {
  name: 'foo',
  vers: '1.0.0',
  deps: [],
  cksum: '0'.repeat(64),
  features: {},
  yanked: false,
}
const DEP: IndexDep = {
  name: 'bar',
  req: '^1',
  features: [],
  optional: false,
  default_features: true,
  target: null,
  kind: 'normal',
}

function check(entry: Partial<IndexEntry>, manifest: Partial<Manifest> = {}): void {
  checkIntegrity(
    { ...MANIFEST, ...manifest },
    { ...ENTRY, ...entry },
    { registries: (url) => url === ALLOWED },
  )
}

test('checkIntegrity() accepts sound crates', () => {
  for (const entry of [
    {},
    { links: 'z', rust_version: '1.70' },
    {
      deps: [
        { ...DEP, registry: null },
        { ...DEP, registry: CRATES_IO_INDEX },
        { ...DEP, registry: ALLOWED },
      ],
    },
    { deps: [{ ...DEP, name: '_bar', package: 'bar', target: 'cfg(unix)', features: ['a', ''] }] },
    {
      deps: [{ ...DEP, artifact: ['bin:x', 'cdylib'], bindep_target: 'target', optional: true }],
      features: { a: ['dep:bar'] },
    },
  ]) {
    check(entry)
  }
  check({}, { description: 'a\nb' })
})

test('checkIntegrity() refuses dependencies that cargo or the house could not trust', () => {
  for (const [dep, code] of [
    [{ name: '1bar' }, 'invalid_dependency'],
    [{ name: '_bar' }, 'invalid_dependency'],
    [{ name: 'a b', package: 'bar' }, 'invalid_dependency'],
    [{ name: 'a'.repeat(65) }, 'invalid_dependency'],
    [{ package: '' }, 'invalid_dependency'],
    [{ req: 'latest' }, 'invalid_requirement'],
    [{ target: 'cfg(' }, 'invalid_dependency'],
    [{ kind: 'dev', optional: true }, 'invalid_dependency'],
    [{ features: ['a/b'] }, 'invalid_dependency'],
    [{ artifact: ['exe'] }, 'invalid_dependency'],
    [{ artifact: ['cdylib', 'cdylib'] }, 'invalid_dependency'],
    [{ artifact: ['bin', 'bin:x'] }, 'invalid_dependency'],
    [{ artifact: ['bin:x', 'bin:x'] }, 'invalid_dependency'],
    [{ bindep_target: 'cfg(unix)' }, 'invalid_dependency'],
    [{ artifact: ['bin'], bindep_target: 'x.json' }, 'invalid_dependency'],
    [{ registry: ALLOWED.slice(0, -1) }, 'invalid_dependency'],
    [{ registry: '' }, 'invalid_dependency'],
    [{ registry: 'sparse+https://evil.example/' }, 'invalid_dependency'],
    [{ registry: `${ALLOWED.slice(0, -1)}.git` }, 'invalid_dependency'],
    [{ registry: `${CRATES_IO_INDEX}.git` }, 'invalid_dependency'],
  ] as const) {
    assert.throws(() => check({ deps: [{ ...DEP, ...dep }] }), { code }, JSON.stringify(dep))
  }
})

test('checkIntegrity() refuses `.git` registries even on the list', () => {
  const entry = { ...ENTRY, deps: [{ ...DEP, registry: 'https://allowed.example/index.git/' }] }
  assert.throws(() => checkIntegrity(MANIFEST, entry, { registries: () => true }), {
    message: /must not end in `\.git`/,
  })
})

test('checkIntegrity() refuses crates of another name, or beyond a limit', () => {
  for (const [entry, manifest, code] of [
    [{ name: '1foo' }, { name: '1foo' }, 'invalid_name'],
    [{ name: 'std' }, { name: 'std' }, 'invalid_name'],
    [{ name: 'NUL' }, { name: 'NUL' }, 'invalid_name'],
    [{ vers: '1.0' }, { version: '1.0' }, 'invalid_version'],
    [{}, { name: 'bar' }, 'invalid_manifest'],
    [{}, { version: '1.0.1' }, 'invalid_manifest'],
    [{ deps: Array<IndexDep>(501).fill(DEP) }, {}, 'invalid_dependency'],
    [{ features: { a: ['b'] } }, {}, 'invalid_metadata'],
    [{ links: '' }, {}, 'invalid_manifest'],
    [{ links: 'a\nb' }, {}, 'invalid_manifest'],
    [{ rust_version: '^1.70' }, {}, 'invalid_manifest'],
    [{ rust_version: '1.70-beta' }, {}, 'invalid_manifest'],
    [{}, { description: 'a\0' }, 'invalid_manifest'],
    [{}, { license: 'MIT\n' }, 'invalid_manifest'],
    [{}, { keywords: ['a\u2028'] }, 'invalid_manifest'],
  ] as const) {
    assert.throws(() => check(entry, manifest), { code }, JSON.stringify([entry, manifest]).slice(0, 80))
  }
})
