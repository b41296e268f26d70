import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifest } from '../../src/protocol/manifest.ts'
import { parseMetadata } from '../../src/protocol/metadata.ts'
import { checkPolicy } from '../../src/protocol/policy.ts'

const GOOD = { description: 'What it does', license: 'MIT OR Apache-2.0' }

function complaints(fields: Record<string, unknown>, shown: object = {}, tables = ''): string[] {
  const lines = Object.entries({ name: 'foo', version: '1.0.0', ...fields }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} = ${JSON.stringify(value)}`],
  )
  const manifest = parseManifest(Buffer.from(`[package]\n${lines.join('\n')}\n${tables}`))
  return checkPolicy(
    parseMetadata(Buffer.from(JSON.stringify({ vers: '1.0.0', name: 'foo', ...fields, ...shown }))),
    manifest,
  )
}

test('checkPolicy() has nothing against a well described crate', () => {
  for (const fields of [
    GOOD,
    { ...GOOD, license: 'MIT/Apache-2.0' },
    { ...GOOD, license: undefined, 'license-file': 'LICENSE' },
    {
      ...GOOD,
      keywords: ['a', 'b_c', '3d', 'c++'],
      categories: ['encoding'],
      homepage: 'https://a.example/',
    },
  ]) {
    assert.deepEqual(complaints(fields), [])
  }
})

test('checkPolicy() says what crates.io would refuse', () => {
  for (const [fields, wanted] of [
    [{ description: undefined }, /^description is missing/],
    [{ description: ' ' }, /^description is missing/],
    [{ description: 'ü'.repeat(501) }, /^description has `1002` bytes/],
    [{ license: undefined }, /^license is missing/],
    [{ license: 'Beerware 3000' }, /^invalid license `Beerware 3000`/],
    [{ license: '('.repeat(100_000) }, /^invalid license/],
    [{ homepage: 'ftp://a.example' }, /^invalid homepage `ftp:/],
    [{ repository: 'https://' }, /^invalid repository/],
    [{ documentation: 'docs' }, /^invalid documentation `docs`/],
    [{ keywords: ['a', 'b', 'c', 'd', 'e', 'f'] }, /^crate has `6` keywords/],
    [{ keywords: ['a b'] }, /^invalid keyword `a b`/],
    [{ keywords: ['a'.repeat(21)] }, /^invalid keyword/],
    [{ categories: ['a', 'b', 'c', 'd', 'e', 'f'] }, /^crate has `6` categories/],
  ] as const) {
    const found = complaints({ ...GOOD, ...fields })
    assert.equal(found.length, 1, String(wanted))
    assert.match(found[0] ?? '', wanted)
  }
})

test('checkPolicy() counts features and the entries of each', () => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`)
  const table = (entries: readonly string[]) =>
    `[features]\n${names(300)
      .map((name) => `${name} = []\n`)
      .join('')}all = ${JSON.stringify(entries)}\n`
  const [full, over] = [names(300), ['f0', ...names(300)]]
  assert.deepEqual(complaints(GOOD, {}, table(full).replace('f299 = []\n', '').replace(',"f299"', '')), [])
  assert.deepEqual(complaints(GOOD, {}, table(over)), [
    'crate has `301` features: at most 300 are allowed',
    'feature `all` has `301` entries: at most 300 are allowed',
  ])
})

test('checkPolicy() complains of wildcard requirements and of metadata that shows something else', () => {
  assert.deepEqual(complaints(GOOD, {}, '[dependencies]\nbar = "*"\nbaz = "1.*"\n'), [
    'requirement `*` of dependency `bar` is too wide: must name a version',
  ])
  assert.match(complaints(GOOD, { license: 'GPL-3.0-only' })[0] ?? '', /^license of the metadata differs/)
})
