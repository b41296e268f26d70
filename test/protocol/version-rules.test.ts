import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crateMatcher } from '../../src/name-glob.ts'
import { parseLines } from '../../src/protocol/index-lines.ts'
import {
  applyVersionRules,
  judgeVersion,
  parseDenial,
  parseVersionPattern,
  type UpstreamLine,
  type VersionRules,
} from '../../src/protocol/version-rules.ts'
import { workTime } from '../support/work-time.ts'

const DAY = 86_400_000
const NOW = new Date('2026-03-10T12:00:00Z')
const CKSUM = '0f'.repeat(32)
const NONE: VersionRules = { minAge: 0, exempt: [], deny: [] }
const WEEK: VersionRules = { ...NONE, minAge: 7 * DAY }

const pattern = (text: string) => parseVersionPattern(text, crateMatcher)
const denial = (text: string) => parseDenial(text, crateMatcher)

function upstream(line: string, firstSeen = '2026-03-10T00:00:00.000Z'): UpstreamLine {
  const [entry] = parseLines(line)
  assert.ok(entry)
  return { line, entry, firstSeen }
}

function version(vers: string, fields: object = {}): UpstreamLine {
  return upstream(
    JSON.stringify({ name: 'foo', vers, deps: [], cksum: CKSUM, features: {}, yanked: false, ...fields }),
  )
}

const OLD = version('1.0.0', { pubtime: '2026-03-03T12:00:00Z' })
const YOUNG = version('1.1.0', { pubtime: '2026-03-03T12:00:01Z' })

test('parseVersionPattern() matches names in every spelling and versions as cargo does', () => {
  for (const [text, name, accepted, refused] of [
    ['foo', 'foo', '0.0.0 1.0.0 1.0.0-a', ''],
    ['Foo-Bar', 'foo_bar', '1.0.0', ''],
    ['acme-*', 'ACME_log', '1.0.0', ''],
    ['foo@*', 'foo', '1.0.0 1.0.0-a', ''],
    ['foo@1.0.5', 'foo', '1.0.5 1.0.5+b', '1.0.6 1.0.4 1.0.5-a 1.1.0'],
    ['foo@1.0.5+b', 'foo', '1.0.5 1.0.5+c', '1.0.6'],
    ['foo@1.0.5-rc.1', 'foo', '1.0.5-rc.1', '1.0.5 1.0.5-rc.2'],
    ['foo@1.0', 'foo', '1.0.0 1.0.9', '1.1.0'],
    ['foo@1', 'foo', '1.0.0 1.9.0', '2.0.0 0.1.0'],
    ['foo@=1.0.5', 'foo', '1.0.5', '1.0.6'],
    ['foo@^1.0.5', 'foo', '1.0.5 1.9.0', '1.0.4 2.0.0'],
    ['foo@ >=1.0.5, <2 ', 'foo', '1.0.5 1.9.0', '1.0.4 2.0.0 1.1.0-a'],
    ['foo@1.*', 'foo', '1.0.5 1.9.0', '2.0.0'],
  ] as const) {
    const { matches } = pattern(text)
    for (const vers of words(accepted)) assert.equal(matches(name, vers), true, `${text} ${vers}`)
    for (const vers of words(refused)) assert.equal(matches(name, vers), false, `${text} ${vers}`)
    assert.equal(matches('other', '1.0.5'), false, text)
  }
})

test('parseVersionPattern() and parseDenial() name what they refuse', () => {
  for (const [parse, text, value] of [
    [pattern, '', ''],
    [pattern, '@1', '@1'],
    [pattern, 'foo@', 'foo@'],
    [pattern, 'foo bar', 'foo bar'],
    [pattern, 'foo@1: why', 'foo@1: why'],
    [pattern, 'foo@latest', 'latest'],
    [pattern, 'foo@1 2', '1 2'],
    [denial, ': why', ': why'],
    [denial, 'foo:', 'foo:'],
    [denial, 'foo@>1 <2: why', '>1 <2'],
  ] as const) {
    assert.throws(
      () => parse(text),
      (error: Error & { code?: string }) => {
        return error.code === 'invalid_requirement' && error.message.includes(`\`${value}\``)
      },
      text,
    )
  }
})

test('parseDenial() takes the reason, or names the pattern', () => {
  for (const [text, reason] of [
    ['foo', '`foo` is denied by this registry'],
    ['foo@<1.2', '`foo@<1.2` is denied by this registry'],
    ['foo: has a hole: see CVE-1 ', 'has a hole: see CVE-1'],
    ['foo@<1.2:gone', 'gone'],
  ] as const) {
    assert.equal(denial(text).reason, reason)
    assert.equal(denial(text).matches('foo', '1.0.0'), true)
  }
})

test('applyVersionRules() gives the very array back when no rule applies', () => {
  const lines = [OLD, YOUNG]
  for (const rules of [
    NONE,
    { ...NONE, deny: [denial('bar')] },
    { ...WEEK, exempt: [pattern('foo@1.1.0')] },
    { ...NONE, minAge: 6 * DAY },
  ]) {
    const result = applyVersionRules(lines, rules, NOW)
    assert.equal(result.lines, lines)
    assert.equal(result.until, undefined)
  }
})

test('applyVersionRules() yanks the young, drops the denied and keeps the bytes of the others', () => {
  const yanked = version('1.2.0', { pubtime: '2026-03-09T00:00:00Z', yanked: true })
  const denied = version('1.3.0', { pubtime: '2026-03-09T00:00:00Z' })
  const seen = version('1.4.0')
  const rules = { ...WEEK, deny: [denial('foo@1.3.0: bad')] }
  const { lines, until } = applyVersionRules([OLD, YOUNG, yanked, denied, seen], rules, NOW)
  assert.deepEqual(
    lines.map(({ line }) => line),
    [
      OLD.line,
      YOUNG.line.replace('"yanked":false', '"yanked":true'),
      yanked.line,
      seen.line.replace('"yanked":false', '"yanked":true'),
    ],
  )
  assert.deepEqual(
    lines.map(({ entry }) => entry.yanked),
    [false, true, true, true],
  )
  assert.deepEqual(until, new Date('2026-03-10T12:00:01Z'))
  assert.equal(YOUNG.entry.yanked, false)
})

test('applyVersionRules() may leave nothing', () => {
  const rules = { ...NONE, deny: [denial('foo')] }
  assert.deepEqual(applyVersionRules([OLD], rules, NOW), { lines: [], until: undefined })
})

test('applyVersionRules() edits the entry’s own `yanked` and nothing else', () => {
  const head = `{"name":"foo","vers":"1.0.0"`
  const tail = `"cksum":"${CKSUM}","features":{}`
  const deps = `"deps":[{"name":"yanked","req":"^1","yanked":false}]`
  for (const [line, expected] of [
    [`${head},${deps},${tail},"yanked":false}`, `${head},${deps},${tail},"yanked":true}`],
    [`${head},${deps},"yanked":null,${tail}}`, `${head},${deps},"yanked":true,${tail}}`],
    [`${head},"yanked" :\tfalse ,${deps},${tail}}\r`, `${head},"yanked" :\ttrue ,${deps},${tail}}\r`],
    [`${head},${deps},${tail}} `, `${head},${deps},${tail},"yanked":true} `],
    [`${head},${deps},"y\\u0061nked":false,${tail}}`, `${head},${deps},"y\\u0061nked":true,${tail}}`],
    [
      `${head},"links":"\\"yanked\\":false","x":"yanked",${deps},${tail},"yanked":false}`,
      `${head},"links":"\\"yanked\\":false","x":"yanked",${deps},${tail},"yanked":true}`,
    ],
    [
      `${head},"x\\\\":{"yanked":false},"é}{":["yanked",false],${deps},${tail},"yanked":false}`,
      `${head},"x\\\\":{"yanked":false},"é}{":["yanked",false],${deps},${tail},"yanked":true}`,
    ],
  ] as const) {
    const [edited] = applyVersionRules([upstream(line)], WEEK, NOW).lines
    assert.equal(edited?.line, expected)
    assert.deepEqual(JSON.parse(expected), { ...JSON.parse(line), yanked: true })
    assert.deepEqual(parseLines(expected), [edited?.entry])
  }
})

test('applyVersionRules() turns at `until`, and back with the clock', () => {
  const { until } = applyVersionRules([YOUNG], WEEK, NOW)
  assert.ok(until)
  assert.equal(applyVersionRules([YOUNG], WEEK, new Date(until.getTime() - 1)).lines[0]?.entry.yanked, true)
  assert.equal(applyVersionRules([YOUNG], WEEK, until).lines[0], YOUNG)
  const back = new Date('1970-01-01T00:00:00Z')
  assert.deepEqual(applyVersionRules([YOUNG], WEEK, back).until, until)
})

test('applyVersionRules() takes unknown times for now, and ages without end', () => {
  const unknown = { ...version('1.0.0'), firstSeen: '' }
  assert.deepEqual(applyVersionRules([unknown], WEEK, NOW).until, new Date(NOW.getTime() + 7 * DAY))
  const forever = { ...NONE, minAge: Number.MAX_SAFE_INTEGER }
  assert.deepEqual(applyVersionRules([YOUNG], forever, NOW).until, new Date(8.64e15))
})

test('judgeVersion() tells why, and until when', () => {
  const rules = {
    ...WEEK,
    exempt: [pattern('foo@1.5.0')],
    deny: [denial('foo@1.4.0: bad'), denial('foo@1.4')],
  }
  const seen = 'first seen 2026-03-10T00:00:00.000Z'
  for (const [upstreamVersion, expected] of [
    [OLD, { verdict: 'served' }],
    [
      YOUNG,
      { verdict: 'young', reason: 'published 2026-03-03T12:00:01Z', until: '2026-03-10T12:00:01.000Z' },
    ],
    [version('1.2.0'), { verdict: 'young', reason: seen, until: '2026-03-17T00:00:00.000Z' }],
    [version('1.2.0', { yanked: true }), { verdict: 'served' }],
    [version('1.4.0'), { verdict: 'denied', reason: 'bad' }],
    [version('1.4.0', { yanked: true }), { verdict: 'denied', reason: 'bad' }],
    [version('1.4.1'), { verdict: 'denied', reason: '`foo@1.4` is denied by this registry' }],
    [version('1.5.0'), { verdict: 'served' }],
  ] as const) {
    assert.deepEqual(judgeVersion(rules, upstreamVersion, NOW), expected)
  }
})

test('applyVersionRules() is done with thousands of versions and patterns at once', () => {
  const lines = Array.from({ length: 5000 }, (_, n) =>
    version(`1.0.${n}`, { pubtime: '2026-03-09T00:00:00Z' }),
  )
  const deny = Array.from({ length: 100 }, (_, n) => denial(`f?o@1.0.${n}`))
  const worked = workTime()
  assert.equal(applyVersionRules(lines, { ...WEEK, deny }, NOW).lines.length, 4900)
  assert.ok(worked() < 1000)
})

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ')
}
