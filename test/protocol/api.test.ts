import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  clampPerPage,
  errorBody,
  ok,
  parseOwnersRequest,
  renderOwners,
  renderPublished,
  renderSearch,
  searchTerms,
} from '../../src/protocol/api.ts'

test('parseOwnersRequest() returns each login once', () => {
  assert.deepEqual(parseOwnersRequest({ users: ['a', 'group:b', 'a'] }), ['a', 'group:b'])
})

test('parseOwnersRequest() refuses other bodies', () => {
  for (const [value, code] of [
    [undefined, 'invalid_request'],
    [null, 'invalid_request'],
    [['a'], 'invalid_request'],
    [{ users: [] }, 'invalid_request'],
    [{ users: 'a' }, 'invalid_request'],
    [{ users: [1] }, 'invalid_request'],
    [{ users: Array(101).fill('a') }, 'invalid_request'],
    [Object.create({ users: ['a'] }), 'invalid_request'],
    [{ users: [''] }, 'invalid_owner'],
    [{ users: ['a\nb'] }, 'invalid_owner'],
    [{ users: ['a'.repeat(129)] }, 'invalid_owner'],
  ] as const) {
    assert.throws(() => parseOwnersRequest(value), { code })
  }
})

test('searchTerms() splits on plus signs and white space', () => {
  assert.deepEqual(searchTerms('postgres+sql  json\tsql+'), ['postgres', 'sql', 'json'])
  assert.deepEqual(searchTerms(' + '), [])
})

test('clampPerPage() limits numbers and refuses the rest', () => {
  for (const [value, wanted] of [
    [undefined, 10],
    ['0', 0],
    ['7', 7],
    ['100', 100],
    ['9'.repeat(400), 100],
  ] as const) {
    assert.equal(clampPerPage(value), wanted)
  }
  for (const value of ['', '-1', '1.5', '1e2', 'ten', ' 1', '１']) {
    assert.throws(() => clampPerPage(value), { code: 'invalid_request' }, value)
  }
})

test('renderOwners() gives each owner a stable 32-bit number', () => {
  const [a, b] = renderOwners(['alice', 'bob']).users
  assert.deepEqual(renderOwners(['bob']).users, [b])
  assert.notEqual(a?.id, b?.id)
  assert.ok(a !== undefined && Number.isInteger(a.id) && a.id >= 0 && a.id < 2 ** 32)
})

test('the answers have the shape that cargo reads', () => {
  assert.deepEqual(ok(), { ok: true })
  assert.deepEqual(ok('done'), { ok: true, msg: 'done' })
  assert.deepEqual(errorBody(['a', 'b']), { errors: [{ detail: 'a' }, { detail: 'b' }] })
  assert.deepEqual(errorBody('a'), { errors: [{ detail: 'a' }] })
  assert.deepEqual(renderPublished(['w']), {
    warnings: { invalid_categories: [], invalid_badges: [], other: ['w'] },
  })
  assert.deepEqual(renderSearch([], 3), { crates: [], meta: { total: 3 } })
})
