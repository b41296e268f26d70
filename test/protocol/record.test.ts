import assert from 'node:assert/strict'
import test from 'node:test'
import type { Change } from '../../src/protocol/change.ts'
import { renderLine } from '../../src/protocol/index-entry.ts'
import {
  encodeRecord,
  encodeRecordInParts,
  findVersion,
  foldChange,
  parseRecord,
} from '../../src/protocol/record.ts'
import { sealJson } from '../../src/protocol/seal.ts'
import { topOf } from '../../src/protocol/top-versions.ts'
import { indexEntry, plain, publishing, recordOf, stamp } from '../support/changes.ts'

const first = publishing('Foo-Bar', '1.0.0+a')
const second = publishing('Foo-Bar', '1.1.0', stamp({ at: '2026-02-03T04:05:06Z', by: 'bob' }))
const yank: Change = { kind: 'yank', ...stamp(), vers: '1.0.0+a' }

test('foldChange() begins a record with the first publish', () => {
  const record = recordOf(first)
  assert.equal(record.name, 'Foo-Bar')
  assert.equal(record.n, 1)
  assert.equal(record.lastId, first.id)
  assert.equal(record.created, first.at)
  assert.deepEqual(record.owners, ['ann'])
  assert.deepEqual([...record.versions.keys()], ['1.0.0'])
  assert.equal(record.versions.get('1.0.0')?.line, renderLine(first.entry))
})

test('foldChange() adds versions in the order of publishing and leaves the owners alone', () => {
  const before = recordOf(first)
  const record = foldChange(before, 2, { ...second, owners: ['eve'] })
  assert.deepEqual([...record.versions.keys()], ['1.0.0', '1.1.0'])
  assert.deepEqual(record.owners, ['ann'])
  assert.deepEqual([record.created, record.updated], [first.at, second.at])
  assert.equal(record.versions.get('1.1.0')?.by, 'bob')
  assert.equal(before.versions.size, 1, 'the record before is unchanged')
})

test('foldChange() yanks and unyanks entry and line alike', () => {
  const yanked = recordOf(first, second, yank)
  assert.equal(findVersion(yanked, '1.0.0')?.entry.yanked, true)
  assert.equal(JSON.parse(findVersion(yanked, '1.0.0')?.line ?? '').yanked, true)
  assert.equal(findVersion(yanked, '1.1.0')?.entry.yanked, false)
  assert.deepEqual([...yanked.versions.keys()], ['1.0.0', '1.1.0'], 'the order stays')
  const back = recordOf(first, second, yank, { ...yank, kind: 'unyank' })
  assert.equal(findVersion(back, '1.0.0')?.line, renderLine(first.entry))
})

test('foldChange() replaces the owners', () => {
  const record = recordOf(first, { kind: 'owners', ...stamp(), owners: ['bob', 'group:rust'] })
  assert.deepEqual(record.owners, ['bob', 'group:rust'])
})

test('foldChange() removes a version or the crate and remembers their numbers', () => {
  const without = recordOf(first, second, { kind: 'remove', ...stamp(), vers: '1.0.0+other' })
  assert.deepEqual([...without.versions.keys()], ['1.1.0'])
  assert.deepEqual([...without.removedVersions], ['1.0.0'])
  assert.equal(without.removed, false)
  const gone = foldChange(without, 4, { kind: 'remove', ...stamp() })
  assert.equal(gone.versions.size, 0)
  assert.deepEqual([...gone.removedVersions], ['1.0.0', '1.1.0'])
  assert.equal(gone.removed, true)
})

test('foldChange() refuses a damaged log', () => {
  const record = recordOf(first)
  const damaged = { name: 'CargoError', code: 'internal' }
  assert.throws(() => foldChange(undefined, 2, first), damaged, 'the first change is missing')
  assert.throws(() => foldChange(record, 3, second), damaged, 'a change is missing')
  assert.throws(() => foldChange(record, 1, second), damaged, 'a change comes twice')
  assert.throws(() => foldChange(undefined, 1, yank), damaged, 'it begins with a yank')
  assert.throws(() => foldChange(record, 2, { ...yank, vers: '9.0.0' }), damaged, 'unknown version')
})

test('findVersion() does not look at build metadata', () => {
  const record = recordOf(first)
  for (const spelling of ['1.0.0', '1.0.0+a', '1.0.0+b']) {
    assert.equal(findVersion(record, spelling)?.entry.vers, '1.0.0+a')
  }
  assert.equal(findVersion(record, '1.0.0-a'), undefined)
})

test('parseRecord() reads what encodeRecord() wrote', () => {
  const records = [
    recordOf(first, second, yank),
    recordOf(first, second, { kind: 'remove', ...stamp(), vers: '1.1.0' }),
    recordOf(first, { kind: 'remove', ...stamp() }),
    recordOf(publishing('foo', '1.0.0', { entry: indexEntry({ links: 'ä', v: 2 }) })),
  ]
  for (const record of records) {
    assert.deepEqual(plain(parseRecord(encodeRecord(record), record.name.toUpperCase())), plain(record))
  }
})

test('parseRecord() does not use a copy of another schema, of another crate, or damaged', () => {
  const record = recordOf(first)
  const bytes = encodeRecord(record)
  const { seal: _, ...whole } = JSON.parse(`${bytes}`)
  const changed = (fields: object) => sealJson({ ...whole, ...fields })
  assert.deepEqual(plain(parseRecord(changed({}), 'foo_bar')), plain(record))
  assert.equal(parseRecord(bytes, 'foo'), undefined)
  for (const copy of [
    changed({ schema: 3 }),
    changed({ schema: 1 }),
    Buffer.from(JSON.stringify(whole)),
    changed({ schema: undefined }),
    changed({ n: 'one' }),
    changed({ name: 1 }),
    changed({ versions: {} }),
    changed({ versions: [null] }),
    bytes.subarray(0, -1),
    Buffer.from('null'),
    Buffer.from('garbage'),
    Buffer.alloc(0),
  ]) {
    assert.equal(parseRecord(copy, 'foo-bar'), undefined, copy.toString())
  }
})

test('the top of a record is that of its versions, whatever happened to them', () => {
  const changes: readonly Change[] = [
    publishing('foo', '1.0.0'),
    publishing('foo', '2.0.0-a'),
    publishing('foo', '1.1.0'),
    { kind: 'yank', ...stamp(), vers: '1.1.0' },
    publishing('foo', '0.9.0'),
    { kind: 'unyank', ...stamp(), vers: '1.1.0' },
    { kind: 'remove', ...stamp(), vers: '2.0.0-a' },
    publishing('foo', '2.0.0'),
    { kind: 'remove', ...stamp() },
  ]
  for (let length = 1; length <= changes.length; length++) {
    const record = recordOf(...changes.slice(0, length))
    assert.deepEqual(record.top, topOf(record.versions.values()), `after ${length} changes`)
    assert.deepEqual(parseRecord(encodeRecord(record), 'foo')?.top, record.top)
  }
})

test('parseRecord() finds every flipped bit', () => {
  const bytes = encodeRecord(recordOf(first, second, yank))
  for (let at = 0; at < bytes.length; at++)
    for (let bit = 0; bit < 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at)
      assert.equal(parseRecord(flipped, 'foo-bar'), undefined, `bit ${bit} of byte ${at}`)
    }
})

test('parseRecord() reads what builds that did not seal wrote', () => {
  const record = recordOf(first, second, yank)
  const { seal: _, ...whole } = JSON.parse(`${encodeRecord(record)}`)
  assert.deepEqual(
    plain(parseRecord(Buffer.from(JSON.stringify({ ...whole, schema: 1 })), 'foo-bar')),
    plain(record),
  )
})

test('encodeRecordInParts() makes the same copy, part by part', () => {
  const numbers = Array.from({ length: 1200 }, (_, minor) => publishing('foo', `1.${minor}.0`))
  const record = recordOf(...numbers, { kind: 'remove', ...stamp(), vers: '1.7.0' })
  const work = encodeRecordInParts(record)
  let parts = 0
  for (let part = work.next(); ; part = work.next()) {
    if (part.done) {
      assert.deepEqual(part.value, encodeRecord(record))
      assert.deepEqual(plain(parseRecord(part.value, 'foo')), plain(record))
      break
    }
    parts += 1
  }
  assert.equal(parts, 4)
})
