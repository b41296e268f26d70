import assert from 'node:assert/strict'
import test from 'node:test'
import { CHANGE_SCHEMA, type Change, encodeChange, parseChange } from '../../src/protocol/change.ts'
import { publishing, stamp } from '../support/changes.ts'

test('parseChange() reads what encodeChange() wrote', () => {
  const changes: readonly Change[] = [
    publishing('foo', '1.0.0'),
    { kind: 'yank', ...stamp({ tokenId: 't1' }), vers: '1.0.0' },
    { kind: 'unyank', ...stamp(), vers: '1.0.0' },
    { kind: 'owners', ...stamp({ by: 'änn' }), owners: ['änn', 'group:rust'] },
    { kind: 'remove', ...stamp(), vers: '1.0.0' },
    { kind: 'remove', ...stamp() },
  ]
  for (const change of changes) assert.deepEqual(parseChange(encodeChange(change)), change)
})

test('encodeChange() writes one line of JSON with its schema', () => {
  const text = encodeChange(publishing('foo', '1.0.0')).toString()
  assert.equal(JSON.parse(text).schema, CHANGE_SCHEMA)
  assert.equal(text.indexOf('\n'), text.length - 1)
})

test('parseChange() refuses what it does not understand', () => {
  const whole = { schema: 1, ...publishing('foo', '1.0.0') }
  const cases: readonly (readonly [string, unknown])[] = [
    ['newer schema', { ...whole, schema: 2 }],
    ['no schema', { ...whole, schema: undefined }],
    ['no id', { ...whole, id: undefined }],
    ['time that is no text', { ...whole, at: 1 }],
    ['unknown kind', { ...whole, kind: 'rename' }],
    ['publish without entry', { ...whole, entry: undefined }],
    ['publish with a null entry', { ...whole, entry: null }],
    ['publish with null details', { ...whole, details: null }],
    ['yank without version', { schema: 1, kind: 'yank', ...stamp() }],
    ['owners that are no list', { schema: 1, kind: 'owners', ...stamp(), owners: 'ann' }],
    ['null', null],
    ['number', 1],
  ]
  for (const [what, value] of cases) {
    const bytes = Buffer.from(JSON.stringify(value))
    assert.throws(() => parseChange(bytes), { name: 'CargoError', code: 'internal' }, what)
  }
})

test('parseChange() refuses damaged bytes', () => {
  const bytes = encodeChange(publishing('foo', '1.0.0'))
  const cut = bytes.subarray(0, bytes.length - 5)
  const notUtf8 = Buffer.from(bytes)
  notUtf8[notUtf8.indexOf('ann')] = 0xff
  for (const damaged of [Buffer.alloc(0), cut, notUtf8]) {
    assert.throws(() => parseChange(damaged), { code: 'internal' })
  }
})
