import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  entryFromManifest,
  type IndexEntry,
  isValidPubtime,
  pubtime,
  type ResolvedDep,
  type ResolvedManifest,
  renderLine,
  renderLines,
} from '../../src/protocol/index-entry.ts'
import { parseLines } from '../../src/protocol/index-lines.ts'

const cksum = '0f'.repeat(32)

const entry: IndexEntry = { name: 'foo', vers: '1.0.0', deps: [], cksum, features: {}, yanked: false }

function dep(name: string, fields: Partial<ResolvedDep> = {}): ResolvedDep {
  const rest = {
    features: [],
    optional: false,
    default_features: true,
    target: null,
    kind: 'normal',
  } as const
  return { name, req: '1', registry: null, ...rest, ...fields }
}

function manifest(fields: Partial<ResolvedManifest> = {}): ResolvedManifest {
  const lists = { deps: [], features: {}, authors: [], keywords: [], categories: [] }
  return { name: 'foo', version: '1.0.0', ...lists, ...fields }
}

test('renderLine() writes the keys in the order of crates.io and unknown ones last', () => {
  const line =
    `{"name":"foo","vers":"1.0.0","deps":[{"name":"b","req":"^1","features":["x"],"optional":true,` +
    `"default_features":false,"target":"cfg(unix)","kind":"dev","registry":"https://r/i","package":"bar","later":1}],` +
    `"cksum":"${cksum}","features":{"x":["dep:b"]},"features2":{"y":["b?/z"]},"yanked":true,"links":null,` +
    `"rust_version":"1.70","pubtime":"2026-01-31T12:00:00Z","v":2,"later":{"a":[1]}}`
  const [parsed] = parseLines(line)
  assert.ok(parsed)
  const backwards = Object.fromEntries(Object.entries(parsed).reverse()) as unknown as IndexEntry
  assert.equal(renderLine(backwards).replace('"later":{"a":[1]}', ''), line.replace('"later":{"a":[1]}', ''))
  assert.equal(renderLine(parsed), line)
})

test('renderLine() leaves out what is undefined and keeps to one line', () => {
  const line = renderLine({ ...entry, links: undefined, features: { 'a\nb': [] } } as unknown as IndexEntry)
  assert.equal(
    line,
    `{"name":"foo","vers":"1.0.0","deps":[],"cksum":"${cksum}","features":{"a\\nb":[]},"yanked":false}`,
  )
})

test('renderLines() ends every line', () => {
  assert.equal(renderLines([]), '')
  assert.equal(renderLines([entry, entry]), `${renderLine(entry)}\n${renderLine(entry)}\n`)
})

test('isValidPubtime() takes only what cargo reads', () => {
  for (const time of ['2026-01-31T12:00:00Z', '2024-02-29T23:59:59Z'])
    assert.equal(isValidPubtime(time), true)
  const invalid = [
    ...[
      '2026-01-31T12:00:00.000Z',
      '2026-01-31T12:00:00+00:00',
      '2026-01-31T12:00:00',
      '2026-01-31 12:00:00Z',
      '',
    ],
    ...['2026-02-30T12:00:00Z', '2026-13-01T12:00:00Z', '2026-01-31T24:00:00Z', '2026-01-31T12:00:60Z', ' '],
    ...['2026-01-31t12:00:00z', '2026-1-31T12:00:00Z', '2026-01-31T12:00:00Z\n'],
  ]
  for (const time of invalid) assert.equal(isValidPubtime(time), false, time)
})

test('pubtime() drops the fraction', () => {
  assert.equal(pubtime(new Date(Date.UTC(2026, 0, 31, 12, 0, 0, 999))), '2026-01-31T12:00:00Z')
})

test('entryFromManifest() makes a line that passes parseLines()', () => {
  const made = entryFromManifest(
    manifest({ links: 'z', rustVersion: '1.70', features: { z: ['dep:b'], a: ['b?/x'] }, deps: [dep('b')] }),
    { cksum, pubtime: '2026-01-31T12:00:00Z' },
  )
  assert.equal(
    renderLine(made),
    `{"name":"foo","vers":"1.0.0","deps":[{"name":"b","req":"^1","features":[],"optional":false,` +
      `"default_features":true,"target":null,"kind":"normal"}],"cksum":"${cksum}",` +
      `"features":{"a":["b?/x"],"z":["dep:b"]},"yanked":false,"links":"z","rust_version":"1.70",` +
      `"pubtime":"2026-01-31T12:00:00Z"}`,
  )
  assert.deepEqual(parseLines(renderLines([made]), { name: 'foo', requireFinalNewline: true }), [made])
})

test('entryFromManifest() sorts deps by name and kind and keeps their registry', () => {
  const registry = 'https://github.com/rust-lang/crates.io-index'
  const deps = [
    dep('b', { kind: 'dev' }),
    dep('b', { kind: 'build' }),
    dep('b', { registry, package: 'real', req: '>=1,<2' }),
    dep('a', { kind: 'dev' }),
  ]
  const made = entryFromManifest(manifest({ deps }), { cksum, pubtime: pubtime(new Date(0)) })
  assert.deepEqual(
    made.deps.map(({ name, kind, req, package: real, registry }) => ({ name, kind, req, real, registry })),
    [
      { name: 'a', kind: 'dev', req: '^1', real: undefined, registry: undefined },
      { name: 'b', kind: 'normal', req: '>=1, <2', real: 'real', registry },
      { name: 'b', kind: 'build', req: '^1', real: undefined, registry: undefined },
      { name: 'b', kind: 'dev', req: '^1', real: undefined, registry: undefined },
    ],
  )
})

test('entryFromManifest() refuses a requirement that is none', () => {
  const given = manifest({ deps: [dep('b', { req: 'latest' })] })
  assert.throws(() => entryFromManifest(given, { cksum, pubtime: '' }), { code: 'invalid_requirement' })
})
