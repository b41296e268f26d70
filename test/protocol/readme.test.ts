import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeReadme, readmePaths, USUAL_READMES } from '../../src/protocol/readme.ts'

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['[package]\nname = "foo"', USUAL_READMES],
  ['[package]\nreadme = "docs/README.md"', ['docs/README.md']],
  ['[package]\nreadme = "././README.md"', ['README.md']],
  ['[package]\nreadme = "docs\\\\README.md"', ['docs/README.md']],
  ['[package]\nreadme = false', []],
  ['[package]\nreadme = true', ['README.md']],
  ['[package]\nreadme = { workspace = true }', USUAL_READMES],
  ['[project]\nreadme = "OLD"', ['OLD']],
  ['package = 1', USUAL_READMES],
  ['', USUAL_READMES],
  ['[package', USUAL_READMES],
]

test('readmePaths() are what the manifest names, else what cargo takes', () => {
  for (const [toml, paths] of CASES) assert.deepEqual(readmePaths(Buffer.from(toml)), paths, toml)
})

test('decodeReadme() leaves half a character at the end out, and a byte order mark', () => {
  assert.equal(decodeReadme(Buffer.from('\uFEFFGröße').subarray(0, -2)), 'Grö')
  assert.equal(decodeReadme(Buffer.from('ü').subarray(0, 1)), '')
  assert.equal(decodeReadme(Buffer.from([0x61, 0xff, 0x62])), 'a\uFFFDb')
})
