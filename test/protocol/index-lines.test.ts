import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderLines } from '../../src/protocol/index-entry.ts'
import { parseLines, parseLinesInParts } from '../../src/protocol/index-lines.ts'
import { workTime } from '../support/work-time.ts'

const cksum = '0f'.repeat(32)
const minimal = { name: 'foo', vers: '1.0.0', deps: [], cksum }
const defaults = { ...minimal, features: {}, yanked: false }

function line(fields: object): string {
  return `${JSON.stringify({ ...minimal, ...fields })}\n`
}

function withDep(fields: object): string {
  return line({ deps: [{ name: 'bar', req: '^1', ...fields }] })
}

test('parseLines() fills in the defaults of absent fields', () => {
  assert.deepEqual(parseLines(line({})), [defaults])
  const nulls = { features2: null, yanked: null, links: null, rust_version: null, pubtime: null, v: null }
  assert.deepEqual(parseLines(line(nulls)), [{ ...defaults, links: null, rust_version: null }])
  const dep = { features: [], optional: false, default_features: true, target: null, kind: 'normal' }
  assert.deepEqual(parseLines(withDep({}))[0]?.deps, [{ name: 'bar', req: '^1', ...dep }])
  assert.equal(parseLines(withDep({ kind: 'later' }))[0]?.deps[0]?.kind, 'normal')
})

test('parseLines() takes bytes, blank lines, CRLF and no final newline', () => {
  const second = line({ vers: '2.0.0' }).trim()
  const body = `\n${line({}).trim()}\r\n \t\r\n${second}`
  assert.deepEqual(parseLines(Buffer.from(body)), [defaults, { ...defaults, vers: '2.0.0' }])
  assert.deepEqual(parseLines(''), [])
})

test('parseLines() keeps unknown fields through renderLines()', () => {
  const body =
    `{"name":"foo","vers":"1.0.0","deps":[{"name":"bar","req":"^1","features":[],"optional":false,` +
    `"default_features":true,"target":null,"kind":"normal","later":[null]}],"cksum":"${cksum}",` +
    `"features":{},"yanked":false,"later":{"__proto__":{"x":1}},"__proto__":{"links":"evil"}}\n`
  const entries = parseLines(body)
  assert.equal(renderLines(entries), body)
  assert.equal(entries[0]?.links, undefined)
  assert.equal(Object.getPrototypeOf(entries[0]), Object.prototype)
})

test('parseLines() takes a feature of any name', () => {
  const body = `{"name":"foo","vers":"1.0.0","deps":[],"cksum":"${cksum}","features":{"__proto__":["a"],"1":[]},"yanked":false}`
  const [entry] = parseLines(body)
  assert.deepEqual(Object.entries(entry?.features ?? {}), [
    ['1', []],
    ['__proto__', ['a']],
  ])
})

test('parseLines() refuses a body that may be cut when told to', () => {
  const options = { requireFinalNewline: true }
  assert.equal(parseLines(line({}), options).length, 1)
  for (const body of ['', line({}).trim()]) {
    const message = 'invalid index file: must end in a newline'
    assert.throws(() => parseLines(body, options), { code: 'invalid_body', message })
  }
})

test('parseLines() refuses lines of another crate', () => {
  assert.equal(parseLines(line({ name: 'Foo' }), { name: 'foo' }).length, 1)
  for (const name of ['bar', 'fo_o', 'fo-o']) {
    const message = 'invalid index line 1: `name` must be the name of the crate'
    assert.throws(() => parseLines(line({}), { name }), { code: 'invalid_body', message })
  }
})

test('parseLines() refuses a version that occurs twice', () => {
  const message = 'invalid index line 2: version `1.0.0` must occur once'
  assert.throws(() => parseLines(line({}) + line({})), { code: 'invalid_body', message })
  assert.equal(parseLines(line({}) + line({ vers: '1.0.0+b' })).length, 2)
})

test('parseLines() names the line and the field that is wrong', () => {
  const fields: [field: string, ...values: unknown[]][] = [
    ['name', undefined, null, 1, '', '../a', 'é'],
    ['vers', undefined, null, 1, '1.0', 'v1.0.0', '01.0.0'],
    ['deps', undefined, null, {}, 'x'],
    ['cksum', undefined, null, 'AB'.repeat(32), 'ab', `${cksum}\n`],
    ['features', null, [], { a: null }, { a: 'b' }, { a: [1] }],
    ['features2', [], { a: null }, 1],
    ['yanked', 'true', 0],
    ['links', 1],
    ['rust_version', '^1.0', '1.70.0-a', '1.', '1.2.3.4', '', 1, '01'],
    ['pubtime', '2026-01-31T12:00:00.123Z', 1, ''],
    ['v', '2', -1, 1.5, 2 ** 32],
  ]
  for (const [field, ...values] of fields) {
    for (const value of values) {
      const message = new RegExp(`^invalid index line 2: \`${field}\` must be `)
      const body = line({ vers: '0.9.0' }) + line({ [field]: value })
      assert.throws(
        () => parseLines(body),
        { code: 'invalid_body', message },
        `${field} ${JSON.stringify(value)}`,
      )
    }
  }
})

test('parseLines() names the field of a dependency that is wrong', () => {
  const fields: [field: string, ...values: unknown[]][] = [
    ['name', undefined, null, '', 'a.b', '1a'],
    ['req', undefined, null, '', 'latest', 1],
    ['features', null, 'a', [1]],
    ['optional', null, 'true'],
    ['default_features', null, 1],
    ['target', '', 1],
    ['kind', 1],
    ['registry', '', '/index', 1],
    ['package', '', '_a', 1],
    ['public', 'true'],
    ['artifact', 'bin', [1]],
    ['bindep_target', 1],
    ['lib', null],
  ]
  for (const [field, ...values] of fields) {
    for (const value of values) {
      const message = new RegExp(`^invalid index line 1: \`deps\\[0\\]\\.${field}\` must be `)
      const body = withDep({ [field]: value })
      assert.throws(
        () => parseLines(body),
        { code: 'invalid_body', message },
        `${field} ${JSON.stringify(value)}`,
      )
    }
  }
  assert.throws(() => parseLines(line({ deps: [null] })), { message: /`deps\[0\]` must be an object$/ })
})

test('parseLines() refuses text that is no line of JSON', () => {
  const good = line({}).trim()
  const bodies: (string | Buffer)[] = [
    ...['<html></html>', '{', '[]', 'null', '1', `${good}${good}`, good.slice(0, -1), `\ufeff${good}`],
    ...[JSON.stringify(minimal, null, 2), Buffer.from(`\ufeff${good}`), Buffer.from([0x22, 0xff, 0x22])],
  ]
  for (const body of bodies) {
    assert.throws(() => parseLines(body), {
      code: 'invalid_body',
      message: /^invalid index (line 1|file): must be /,
    })
  }
})

test('parseLines() refuses a key that occurs twice, in any object', () => {
  const bodies = [
    line({}).replace('"deps"', '"yanked":true,"yanked":false,"deps"'),
    line({}).replace('"vers"', '"\\u0076ers":"9.0.0","vers"'),
    withDep({}).replace('"req"', '"req":"^2","req"'),
  ]
  for (const body of bodies) {
    assert.throws(() => parseLines(body), { message: 'invalid index line 1: no key may occur twice' }, body)
  }
})

test('parseLines() takes the lines of crates.io from before semver 1.0 when told to', () => {
  const body = line({ vers: '0.4.0-alpha.01' }) + line({ deps: [{ name: 'bar', req: '~2.0-2.2' }] })
  assert.throws(() => parseLines(body), {
    message: 'invalid index line 1: `vers` must be a semantic version',
  })
  const entries = parseLines(body, { oldGrammar: true })
  assert.deepEqual(
    entries.map((entry) => entry.vers),
    ['0.4.0-alpha.01', '1.0.0'],
  )
  for (const vers of ['', '1/2', '1 ', 'é', '1'.repeat(151)]) {
    assert.throws(() => parseLines(line({ vers }), { oldGrammar: true }), { message: /`vers` must be/ })
  }
})

test('parseLines() refuses deep and hostile lines at once', () => {
  const deep = line({}).replace('}', `,"later":${'['.repeat(2 ** 19)}${']'.repeat(2 ** 19)}}`)
  assert.throws(() => parseLines(deep), {
    message: 'invalid index line 1: `later` must be nested at most 32 deep',
  })
  const worked = workTime()
  for (const hostile of ['[', '{"a":', ' ', '"', '\\', '1']) {
    const text = hostile.repeat(2 ** 20 / hostile.length)
    assert.throws(() => parseLines(`${text}!`), { code: 'invalid_body' })
  }
  assert.throws(() => parseLines(line({ vers: '1'.repeat(2 ** 20) })), { code: 'invalid_body' })
  assert.throws(() => parseLines(withDep({ req: ' '.repeat(2 ** 20) })), { code: 'invalid_body' })
  assert.throws(() => parseLines(line({ rust_version: '1.'.repeat(2 ** 19) })), { code: 'invalid_body' })
  assert.ok(worked() < 250)
})

test('parseLinesInParts() gives way now and then, and ends with what parseLines() gives', () => {
  const body = Array.from({ length: 3000 }, (_, i) => `${line({ vers: `1.0.${i}` })}\n`).join('')
  const parts = parseLinesInParts(body)
  let ways = 0
  let part = parts.next()
  for (; !part.done; part = parts.next()) ways += 1
  assert.deepEqual(part.value, parseLines(body))
  assert.equal(ways, Math.floor(body.length / (256 * 1024)))
})

test('parseLines() refuses a line that is far too long before it reads it', () => {
  const long = line({}).replace('}', `,"later":"${'x'.repeat(2 ** 21)}"}`)
  assert.throws(() => parseLines(long), {
    code: 'invalid_body',
    message: 'invalid index line 1: must have at most 2097152 characters',
  })
})
