import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMetadata } from '../../src/protocol/metadata.ts'

const DEP = {
  name: 'bar',
  version_req: '^1',
  features: [],
  optional: false,
  default_features: true,
  target: null,
  kind: 'normal',
}

function parse(fields: object): ReturnType<typeof parseMetadata> {
  return parseMetadata(Buffer.from(JSON.stringify({ name: 'foo', vers: '1.0.0', ...fields })))
}

test('parseMetadata() fills in what is absent', () => {
  const { name, deps, features, description, keywords } = parse({})
  assert.deepEqual(
    { name, deps, features, description, keywords },
    {
      name: 'foo',
      deps: [],
      features: {},
      description: null,
      keywords: [],
    },
  )
})

test('parseMetadata() keeps fields it does not know', () => {
  const metadata = parse({
    future: { a: [1] },
    deps: [{ ...DEP, future: true, registry: null, explicit_name_in_toml: 'baz' }],
  })
  assert.deepEqual({ ...metadata }['future' as never], { a: [1] })
  assert.deepEqual(metadata.deps, [{ ...DEP, future: true, explicit_name_in_toml: 'baz' }])
})

test('parseMetadata() takes newlines in prose', () => {
  assert.equal(parse({ description: 'a\nb\t', readme: '\u2028\r\n' }).description, 'a\nb\t')
})

test('parseMetadata() names the field that is wrong', () => {
  for (const [fields, message] of [
    [{ name: 1 }, 'invalid `name` in metadata: must be a string, not `1`'],
    [{ vers: null }, 'invalid `vers` in metadata: must be a string, not absent'],
    [{ deps: {} }, 'invalid `deps` in metadata: must be a list, not an object'],
    [
      { deps: [DEP, { ...DEP, kind: 'x' }] },
      'invalid `deps[1].kind` in metadata: must be `normal`, `build` or `dev`, not `x`',
    ],
    [
      { deps: [{ ...DEP, optional: 'no' }] },
      'invalid `deps[0].optional` in metadata: must be `true` or `false`, not `no`',
    ],
    [
      { deps: [{ ...DEP, features: [1] }] },
      'invalid `deps[0].features[0]` in metadata: must be a string, not `1`',
    ],
    [{ features: { a: 'b' } }, 'invalid `features.a` in metadata: must be a list, not `b`'],
    [{ links: [] }, 'invalid `links` in metadata: must be a string, not a list'],
    [{ readme: 'a\0b' }, 'invalid `readme` in metadata: must be text without NUL, not `a\uFFFDb`'],
    [
      { license: 'a\nb' },
      'invalid `license` in metadata: must be text without control characters, not `a\uFFFDb`',
    ],
  ] as const) {
    assert.throws(() => parse(fields), { code: 'invalid_metadata', message })
  }
})

test('parseMetadata() refuses control characters in every string but prose', () => {
  for (const bad of ['\n', '\r', '\0', '\x7f', '\x85', '\u2028', '\u2029', '\ud800']) {
    for (const fields of [
      { name: bad },
      { vers: bad },
      { authors: [bad] },
      { keywords: [bad] },
      { links: bad },
      { rust_version: bad },
      { badges: { a: { b: bad } } },
      { features: { [bad]: [] } },
      { features: { a: [bad] } },
      { [bad]: 1 },
      { future: [[bad]] },
      { deps: [{ ...DEP, target: bad }] },
      { deps: [{ ...DEP, version_req: bad }] },
    ]) {
      assert.throws(() => parse(fields), { code: 'invalid_metadata' }, JSON.stringify(fields))
    }
  }
})

test('parseMetadata() refuses what is no JSON object in UTF-8', () => {
  for (const bytes of [
    '',
    '[]',
    'null',
    '1',
    '{',
    '\ufeff{"name":"a","vers":"1.0.0"}',
    Buffer.from([0x22, 0xff, 0x22]),
  ]) {
    assert.throws(() => parseMetadata(Buffer.from(bytes)), { code: 'invalid_metadata' })
  }
})

test('parseMetadata() refuses more values than any crate has', () => {
  assert.throws(() => parse({ x: Array(60_000).fill(1) }), {
    code: 'invalid_metadata',
    message: 'invalid metadata: must have at most 50000 values',
  })
})

test('parseMetadata() survives deep nesting', () => {
  const deep = `{"name":"a","vers":"1.0.0","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
  assert.throws(() => parseMetadata(Buffer.from(deep)), { code: 'invalid_metadata' })
})

test('parseMetadata() is not fooled by names of Object.prototype', () => {
  const text =
    '{"name":"a","vers":"1.0.0","__proto__":{"links":"x"},"features":{"__proto__":["a"],"constructor":[]}}'
  const metadata = parseMetadata(Buffer.from(text))
  assert.equal(metadata.links, null)
  assert.deepEqual(Object.keys(metadata.features), ['__proto__', 'constructor'])
  assert.equal(Object.getPrototypeOf(metadata.features), Object.prototype)
  assert.throws(() => parseMetadata(Buffer.from('{"__proto__":{"name":"a"},"vers":"1.0.0"}')), {
    code: 'invalid_metadata',
  })
})
