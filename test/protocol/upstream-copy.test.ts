import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { sealJson } from '../../src/protocol/seal.ts'
import {
  copyAfter,
  encodeCopy,
  entriesOf,
  type FetchedIndex,
  goneCopy,
  type IndexConflict,
  isGone,
  isSealedCopy,
  nextCopy,
  parseCopy,
  type UpstreamCopy,
} from '../../src/protocol/upstream-copy.ts'

const THEN = new Date('2026-01-01T00:00:00.000Z')
const NOW = new Date('2026-02-03T04:05:06.789Z')
const SUMS = { a: 'a'.repeat(64), b: 'b'.repeat(64) }

/** A line of the crate `foo`. */
function line(vers: string, more: object = {}): string {
  return `${JSON.stringify({ name: 'foo', vers, deps: [], cksum: SUMS.a, features: {}, yanked: false, ...more })}\n`
}

const fetched = (body: string, more: Omit<FetchedIndex, 'body'> = {}): FetchedIndex => ({
  body: Buffer.from(body),
  ...more,
})

const first = (body: string, more: Omit<FetchedIndex, 'body'> = {}): UpstreamCopy =>
  nextCopy('foo', undefined, fetched(body, more), THEN)

test('nextCopy() keeps the bytes, their validators and when they came', () => {
  const body = line('1.0.0', { pubtime: '2025-01-01T00:00:00Z' }) + line('1.1.0')
  const copy = first(body, { etag: '"a"', lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' })
  assert.deepEqual(copy, {
    n: 1,
    body: Buffer.from(body),
    etag: '"a"',
    lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT',
    fetchedAt: THEN.toISOString(),
    firstSeen: { '1.1.0': THEN.toISOString() },
  })
})

test('nextCopy() keeps nothing else of what it is given', () => {
  const answer = { kind: 'changed', ...fetched(line('1.0.0')) }
  assert.deepEqual(Object.keys(nextCopy('foo', undefined, answer, NOW)), [
    'n',
    'body',
    'fetchedAt',
    'firstSeen',
  ])
})

test('nextCopy() counts on, and keeps when a version was first seen', () => {
  const before = first(line('1.0.0'))
  const copy = nextCopy('foo', before, fetched(line('1.1.0') + line('1.0.0', { yanked: true })), NOW)
  assert.equal(copy.n, 2)
  assert.equal(copy.fetchedAt, NOW.toISOString())
  assert.deepEqual(copy.firstSeen, { '1.1.0': NOW.toISOString(), '1.0.0': THEN.toISOString() })
})

test('nextCopy() takes versions with the names of what every object has', () => {
  const body = line('constructor') + line('valueOf')
  const before = first(line('1.0.0'))
  const { firstSeen } = nextCopy('foo', before, fetched(line('1.0.0') + body), NOW)
  assert.deepEqual(
    Object.values(firstSeen),
    [THEN, NOW, NOW].map((time) => time.toISOString()),
  )
})

test('nextCopy() takes what changes in the life of a crate', () => {
  const before = first(line('1.0.0') + line('1.1.0'), { lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' })
  const same = line('1.0.0') + line('1.1.0')
  const cases: readonly (readonly [string, FetchedIndex])[] = [
    ['the same', fetched(same)],
    ['a version', fetched(same + line('2.0.0'))],
    ['a yank', fetched(line('1.0.0', { yanked: true }) + line('1.1.0'))],
    [
      'other dependencies and unknown fields',
      fetched(line('1.0.0', { features: { a: [] }, extra: 1 }) + line('1.1.0')),
    ],
    ['another order', fetched(line('1.1.0') + line('1.0.0'))],
    ['CRLF', fetched(same.replaceAll('\n', '\r\n'))],
    ['the same time', fetched(same, { lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' })],
    ['a later time', fetched(same, { lastModified: 'Thu, 01 Jan 2026 00:00:01 GMT' })],
    ['a time that is none', fetched(same, { lastModified: 'yesterday' })],
  ]
  for (const [what, next] of cases) {
    const copy = nextCopy('foo', before, next, NOW)
    assert.equal(copy.n, 2, what)
    assert.deepEqual(copy.body, next.body, what)
  }
})

test('nextCopy() takes the name in any case, and versions from before semver', () => {
  const body = line('0.4.0-alpha.01', { name: 'Foo' }) + line('0.0.1-', { name: 'FOO' })
  assert.deepEqual(
    entriesOf('foo', first(body).body).map(({ name }) => name),
    ['Foo', 'FOO'],
  )
})

const CONTRADICTIONS: readonly (readonly [string, FetchedIndex, IndexConflict, RegExp])[] = [
  ['is empty', fetched(''), 'invalid', /^index file of `foo`: invalid index file: must end in a newline$/],
  ['has no lines', fetched('\n\r\n'), 'invalid', /^index file of `foo`: it has no lines$/],
  ['is HTML', fetched('<!DOCTYPE html>\n'), 'invalid', /line 1: must be JSON$/],
  ['is another JSON', fetched('{"errors":[]}\n'), 'invalid', /line 1: .*`name`/],
  ['has no final newline', fetched(line('1.0.0').trimEnd()), 'invalid', /must end in a newline$/],
  [
    'is cut in a line',
    fetched(line('1.0.0') + line('1.1.0').slice(0, 50)),
    'invalid',
    /must end in a newline$/,
  ],
  ['is cut and ended', fetched(`${line('1.0.0').slice(0, 50)}\n`), 'invalid', /line 1: must be JSON$/],
  ['has a BOM', fetched(`\ufeff${line('1.0.0')}`), 'invalid', /line 1: must be JSON$/],
  [
    'is no UTF-8',
    { body: Buffer.from(line('1.0.0', { links: 'é' }), 'latin1') },
    'invalid',
    /must be UTF-8$/,
  ],
  [
    'has a foreign line',
    fetched(line('1.0.0') + line('2.0.0', { name: 'bar' })),
    'invalid',
    /line 2: .*`name`/,
  ],
  ['is foreign', fetched(line('1.0.0', { name: 'fo-o' })), 'invalid', /line 1: .*`name`/],
  [
    'has a version twice',
    fetched(line('1.0.0') + line('1.0.0', { cksum: SUMS.b })),
    'invalid',
    /line 2: version `1.0.0` must occur once$/,
  ],
  [
    'has a checksum that is none',
    fetched(line('1.0.0', { cksum: 'A'.repeat(64) })),
    'invalid',
    /line 1: .*`cksum`/,
  ],
  [
    'has a time that hides the version',
    fetched(line('1.0.0', { pubtime: '2026-01-01T00:00:00.000Z' })),
    'invalid',
    /line 1: .*`pubtime`/,
  ],
]

for (const [what, next, conflict, message] of CONTRADICTIONS) {
  test(`nextCopy() refuses a body when it ${what}`, () => {
    const wanted = { name: 'IndexConflictError', code: 'unavailable', retryAfter: 60, conflict, message }
    assert.throws(() => nextCopy('foo', undefined, next, NOW), wanted)
    assert.throws(() => nextCopy('foo', first(line('1.0.0')), next, NOW), wanted)
    assert.throws(() => copyAfter('foo', first(line('1.0.0')), next, NOW), wanted)
  })
}

test('nextCopy() refuses a body when it contradicts the one before, and copyAfter() takes it', () => {
  const before = first(line('1.0.0') + line('1.1.0'), { lastModified: 'Thu, 01 Jan 2026 00:00:01 GMT' })
  const older = { lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' }
  const cases: readonly (readonly [FetchedIndex, IndexConflict, string])[] = [
    [
      fetched(line('1.0.0') + line('1.1.0') + line('1.2.0'), older),
      'older',
      'index file of `foo` is of `Thu, 01 Jan 2026 00:00:00 GMT`, older than the one of `Thu, 01 Jan 2026 00:00:01 GMT`',
    ],
    [fetched(line('1.0.0') + line('1.2.0')), 'vanished', 'version `foo@1.1.0` is gone from its index file'],
    [
      fetched(line('1.0.0') + line('1.1.0', { cksum: SUMS.b })),
      'checksum_changed',
      `version \`foo@1.1.0\` had the checksum \`${SUMS.a}\` and now has \`${SUMS.b}\``,
    ],
  ]
  for (const [next, conflict, message] of cases) {
    assert.throws(() => nextCopy('foo', before, next, NOW), { name: 'IndexConflictError', conflict, message })
    const copy = copyAfter('foo', before, next, NOW)
    assert.deepEqual([copy.n, copy.body], [2, next.body])
  }
})

test('goneCopy() follows the copy, and another crate may follow it', () => {
  const gone = goneCopy(first(line('1.0.0')), NOW)
  assert.deepEqual(gone, { n: 2, body: Buffer.alloc(0), fetchedAt: NOW.toISOString(), firstSeen: {} })
  assert.ok(isGone(gone) && isGone(parseCopy(encodeCopy(gone))))
  const back = nextCopy('foo', gone, fetched(line('1.0.0', { cksum: SUMS.b })), NOW)
  assert.equal(back.n, 3)
  assert.ok(!isGone(back))
  assert.deepEqual(back.firstSeen, { '1.0.0': NOW.toISOString() })
})

test('parseCopy() gives back byte for byte what encodeCopy() was given', () => {
  const bodies = [
    line('1.0.0'),
    line('1.0.0') + line('1.1.0'),
    (line('1.0.0') + line('1.1.0')).replaceAll('\n', '\r\n'),
    line('1.0.0', { links: 'é 漢字 🦀 \u2028\u2029\ufeff\u0000"\\', extra: '\ud800' }),
    `\n${line('1.0.0').replace('{', '{ \t')}\r\n\n`,
    `${line('1.0.0').trimEnd().replace('"yanked"', '"links":"\ufeff","yanked"')}\n`,
  ]
  for (const body of bodies) {
    const copy = first(body, { etag: 'W/"é"' })
    const bytes = encodeCopy(copy)
    assert.deepEqual(parseCopy(bytes), copy)
    assert.deepEqual(encodeCopy(parseCopy(bytes)), bytes)
  }
})

test('parseCopy() reads the form before there were seals, with the checksum of the body or without', () => {
  const copy = first(line('1.0.0'), { etag: '"a"' })
  const { body, ...rest } = copy
  const sha256 = createHash('sha256').update(body).digest('hex')
  for (const more of [{}, { sha256 }]) {
    const stored = Buffer.from(JSON.stringify({ schema: 1, ...rest, body: body.toString(), ...more }))
    assert.deepEqual(parseCopy(stored), copy)
    const flipped = Buffer.from(stored.toString().replace('aaaa', 'baaa'))
    if ('sha256' in more)
      assert.throws(() => parseCopy(flipped), { code: 'internal', message: damaged('body') })
  }
})

test('parseCopy() reads the form before, in which the body was in the line', () => {
  const copy = first(line('1.0.0'), { etag: '"a"' })
  const stored = sealJson({ schema: 2, ...copy, body: copy.body.toString() })
  assert.deepEqual(parseCopy(stored), copy)
  assert.ok(isSealedCopy(stored))
  for (let at = 0; at < stored.length - 1; at++) {
    const flipped = Buffer.from(stored)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    assert.throws(() => parseCopy(flipped), { name: 'CargoError', code: 'internal' }, `byte ${at}`)
  }
})

test('isSealedCopy() tells the forms in which every flipped bit shows', () => {
  const { body, ...rest } = first(line('1.0.0'))
  assert.ok(isSealedCopy(encodeCopy({ body, ...rest })))
  assert.ok(!isSealedCopy(Buffer.from(JSON.stringify({ schema: 1, ...rest, body: body.toString() }))))
})

test('parseCopy() keeps fields it does not know', () => {
  const copy = parseCopy(withFields({ more: [1] }))
  assert.deepEqual(storedLine(encodeCopy(copy))['more'], [1])
})

test('parseCopy() throws when any bit of a stored copy is wrong', () => {
  const bytes = encodeCopy(first(line('1.0.0'), { etag: '"a"' }))
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    assert.throws(() => parseCopy(flipped), { name: 'CargoError', code: 'internal' }, `byte ${at}`)
  }
})

test('parseCopy() throws when the bytes are no copy', () => {
  const bytes = encodeCopy(first(line('1.0.0')))
  const cases: readonly (readonly [Buffer, string])[] = [
    [Buffer.alloc(0), 'stored index copy is not JSON'],
    [bytes.subarray(0, bytes.indexOf('\n') - 10), 'stored index copy is not JSON'],
    [bytes.subarray(0, -10), damaged('body')],
    [bytes.subarray(0, bytes.indexOf('\n') + 1), damaged('body')],
    [Buffer.concat([bytes, bytes]), damaged('body')],
    [Buffer.from(bytes).fill(0xff, 60, 61), 'stored index copy is not JSON'],
    [Buffer.from('null'), 'stored index copy is not a JSON object'],
    [Buffer.from('[]'), 'stored index copy is not a JSON object'],
    [Buffer.from('{}'), 'stored index copy has schema `undefined`, wanted 3'],
    [withFields({ schema: 4 }), 'stored index copy has schema `4`, wanted 3'],
    [withFields({ schema: '3' }), 'stored index copy has schema `3`, wanted 3'],
    ...[0, -1, 1.5, '1', null].map((n) => [withFields({ n }), damaged('n')] as const),
    [withFields({ sha256: undefined }), damaged('body')],
    [withFields({ schema: 2 }), damaged('body')],
    [withFields({ schema: 2, body: line('1.0.0') }), damaged('body')],
    [withFields({ etag: 1 }), damaged('etag')],
    [withFields({ lastModified: null }), damaged('lastModified')],
    [withFields({ fetchedAt: 'now' }), damaged('fetchedAt')],
    ...[null, [], 'a', undefined, { '1.0.0': 5 }, { '1.0.0': 'now' }].map(
      (firstSeen) => [withFields({ firstSeen }), damaged('firstSeen')] as const,
    ),
  ]
  for (const [value, message] of cases)
    assert.throws(() => parseCopy(value), { name: 'CargoError', code: 'internal', message }, value.toString())
})

function damaged(field: string): string {
  return `stored index copy is damaged: its \`${field}\``
}

/** A sealed copy with other fields. */
function withFields(fields: object): Buffer {
  const bytes = encodeCopy(first(line('1.0.0')))
  const { seal: _, ...stored } = storedLine(bytes)
  return Buffer.concat([sealJson({ ...stored, ...fields }), bytes.subarray(bytes.indexOf('\n') + 1)])
}

/** What stands before the body. */
function storedLine(bytes: Buffer): Readonly<Record<string, unknown>> {
  return JSON.parse(bytes.subarray(0, bytes.indexOf('\n')).toString())
}
