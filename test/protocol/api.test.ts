import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  errorBody,
  ok,
  parseOwnersRequest,
  parsePerPage,
  parseSearchResponse,
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

test('parsePerPage() takes numbers up to 100', () => {
  for (const [value, wanted] of [
    [undefined, 10],
    ['0', 0],
    ['7', 7],
    ['100', 100],
  ] as const) {
    assert.equal(parsePerPage(value), wanted)
  }
  for (const value of ['', '-1', '1.5', '1e2', 'ten', ' 1', '１', '101', '9'.repeat(400)]) {
    assert.throws(() => parsePerPage(value), { code: 'invalid_request' }, value)
  }
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

const HIT = { name: 'foo', max_version: '1.0.0', description: 'A crate' }

/** What is read of an answer of this text. */
const found = (text: string) => parseSearchResponse(Buffer.from(text))

test('parseSearchResponse() reads what cargo reads of an answer of crates.io', () => {
  const crate = { ...HIT, id: 'foo', downloads: 1, exact_match: true, links: { owners: '/' } }
  const answer = JSON.stringify({
    crates: [crate],
    meta: { total: 7, next_page: '?page=2', prev_page: null },
  })
  assert.deepEqual(found(answer), { crates: [HIT], meta: { total: 7 } })
  assert.deepEqual(found('{"crates":[],"meta":{"total":0}}'), { crates: [], meta: { total: 0 } })
})

test('parseSearchResponse() leaves out hits that are none', () => {
  const crates = [
    null,
    5,
    'foo',
    [],
    {},
    { ...HIT, name: 5 },
    { ...HIT, name: '../foo' },
    { ...HIT, name: '' },
    { ...HIT, max_version: undefined },
    { ...HIT, max_version: '1' },
    { ...HIT, max_version: '1.0.0\u001b[2J' },
    HIT,
  ]
  assert.deepEqual(found(JSON.stringify({ crates, meta: { total: 12 } })), {
    crates: [HIT],
    meta: { total: 12 },
  })
})

test('parseSearchResponse() takes a description that is none for none', () => {
  for (const description of [undefined, null, 5, {}]) {
    const { crates } = found(JSON.stringify({ crates: [{ ...HIT, description }] })) ?? {}
    assert.deepEqual(crates, [{ ...HIT, description: null }])
  }
})

test('parseSearchResponse() gives a total that cargo can read, and no less than the hits', () => {
  for (const [meta, total] of [
    ['null', 1],
    ['5', 1],
    ['{}', 1],
    ['{"total":null}', 1],
    ['{"total":"9"}', 1],
    ['{"total":0}', 1],
    ['{"total":-9}', 1],
    ['{"total":1.5}', 1],
    ['{"total":9}', 9],
    ['{"total":4294967295}', 2 ** 32 - 1],
    ['{"total":4294967296}', 2 ** 32 - 1],
    ['{"total":1e400}', 1],
  ] as const) {
    assert.equal(found(`{"crates":[${JSON.stringify(HIT)}],"meta":${meta}}`)?.meta.total, total, meta)
  }
})

test('parseSearchResponse() returns nothing when the answer has another shape', () => {
  for (const text of [
    '',
    '<html>',
    'null',
    '5',
    '[]',
    '"crates"',
    '{}',
    '{"crates":{}}',
    '{"crates":[]',
    '{"errors":[]}',
  ]) {
    assert.equal(found(text), undefined, text)
  }
})
