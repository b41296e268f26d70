import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifest } from '../../src/protocol/manifest.ts'
import { isTargetSource, type Targets, targetsOf } from '../../src/protocol/targets.ts'

/** The targets of a crate `foo` with more in its `[package]`, more behind that, and these files. */
function targets(fields: string, more: string, ...files: readonly string[]): Targets {
  const text = `[package]\nname = "foo"\nversion = "1.0.0"\n${fields}\n${more}`
  const { targets: named, name } = parseManifest(Buffer.from(text))
  return targetsOf(named, name, files.filter(isTargetSource))
}

const EDITION = 'edition = "2021"'

test('targetsOf() finds the targets that a manifest names', () => {
  const named = '[lib]\nname = "f"\n[[bin]]\nname = "b"\npath = "b.rs"\n[[bin]]\nname = "a"\n'
  assert.deepEqual(targets(EDITION, named), { lib: true, bins: ['a', 'b'] })
  assert.deepEqual(targets(EDITION, ''), { lib: false, bins: [] })
})

test('targetsOf() finds those that cargo finds by itself', () => {
  const files = [
    'src/lib.rs',
    'src/main.rs',
    'src/bin/x.rs',
    'src/bin/y/main.rs',
    'src/bin/y/other.rs',
    'src/bin/z.txt',
  ]
  assert.deepEqual(targets(EDITION, '', ...files), { lib: true, bins: ['foo', 'x', 'y'] })
  assert.deepEqual(targets(`${EDITION}\nautolib = false\nautobins = false`, '', ...files), {
    lib: false,
    bins: [],
  })
  const also = '[[bin]]\nname = "x"\npath = "src/bin/x.rs"\n'
  assert.deepEqual(targets(EDITION, also, ...files).bins, ['foo', 'x', 'y'])
  assert.deepEqual(targets('', also, ...files), { lib: true, bins: ['x'] }, 'edition 2015')
  assert.deepEqual(targets('', '', ...files).bins, ['foo', 'x', 'y'], 'edition 2015')
  for (const path of [
    'lib.rs',
    'src/lib.rs/a',
    'src/Lib.rs',
    'a/src/lib.rs',
    'src/bin/.rs/x',
    'src/bin//main.rs',
  ])
    assert.ok(!isTargetSource(path), path)
})

test('targetsOf() passes over what cargo cannot build', () => {
  for (const more of [
    'lib = 1',
    'bin = "x"',
    'bin = [1, {}, { name = 5 }, { name = "a\\u0000" }]',
    'lib = []',
  ])
    assert.deepEqual(targets('', '').bins, targetsOfRoot(more).bins, more)
  const many = Array.from({ length: 300 }, (_, at) => `[[bin]]\nname = "b${at}"\n`).join('')
  assert.equal(targets(EDITION, many).bins.length, 256)
})

function targetsOfRoot(line: string): Targets {
  const text = `${line}\n[package]\nname = "foo"\nversion = "1.0.0"\n`
  const { targets: named } = parseManifest(Buffer.from(text))
  assert.equal(named.lib, false)
  return targetsOf(named, 'foo', [])
}
