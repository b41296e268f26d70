import assert from 'node:assert/strict'
import { test } from 'node:test'
import { environmentOverrides, settingAt, withOverride } from '../../src/server/environment.ts'

test('environmentOverrides() reads paths, strings and JSON, maps before their keys', () => {
  const overrides = environmentOverrides({
    PATH: '/bin',
    VERDACCIO_CARGO_STORAGE__FS__PATH: '/data',
    VERDACCIO_CARGO_PUBLIC_URL: 'https://example.org',
    VERDACCIO_CARGO_REDIS: '',
    VERDACCIO_CARGO_CARGO__AUTH_REQUIRED: 'true',
    VERDACCIO_CARGO_CARGO: '{"mount":"/a"}',
    VERDACCIO_CARGO_CARGO__ADMINS: '["ann"]',
    VERDACCIO_CARGO_CARGO__LIMITS__ENTRIES: '7',
  })
  assert.deepEqual(
    overrides.reduce(withOverride, { storage: { fs: { path: 'x' } }, listen: 'a:1' } as unknown),
    {
      listen: 'a:1',
      storage: { fs: { path: '/data' } },
      public_url: 'https://example.org',
      cargo: { auth_required: true, mount: '/a', admins: ['ann'], limits: { entries: 7 } },
    },
  )
})

test('environmentOverrides() tells text from JSON', () => {
  for (const [text, value] of [
    ['[::1]:0', '[::1]:0'],
    ['[fe80::1]:8081', '[fe80::1]:8081'],
    ['[::ffff:127.0.0.1]:443', '[::ffff:127.0.0.1]:443'],
    ['[1]', [1]],
    ['0', 0],
    ['007', '007'],
    ['9'.repeat(16), '9'.repeat(16)],
    ['"123"', '123'],
    ['"true"', 'true'],
    ['trueish', 'trueish'],
  ] as const) {
    assert.deepEqual(environmentOverrides({ VERDACCIO_CARGO_LISTEN: text }), [{ path: ['listen'], value }])
  }
})

test('environmentOverrides() never takes a setting that is text for JSON', () => {
  const texts = [['auth', 'htpasswd']]
  for (const text of ['123', 'true', '[a]', '{', '"a"'])
    assert.deepEqual(environmentOverrides({ VERDACCIO_CARGO_AUTH__HTPASSWD: text }, texts), [
      { path: ['auth', 'htpasswd'], value: text },
    ])
})

test('environmentOverrides() names the variable that it cannot read', () => {
  const wrong = { VERDACCIO_CARGO_AUTH__TOKENS: '[{', VERDACCIO_CARGO_: 'x', VERDACCIO_CARGO___PROTO__: '1' }
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(() => environmentOverrides({ [name]: value }), {
      name: 'ConfigError',
      message: new RegExp(`environment variable \`${name}\``),
    })
  }
})

test('withOverride() replaces what is no map, and leaves the original alone', () => {
  const tree = { tls: true, listen: 'a:1' }
  assert.deepEqual(withOverride(tree, { path: ['tls', 'cert'], value: 'c' }), {
    tls: { cert: 'c' },
    listen: 'a:1',
  })
  assert.deepEqual(tree, { tls: true, listen: 'a:1' })
})

test('settingAt() finds nothing in lists, strings and missing maps', () => {
  assert.equal(settingAt({ a: { b: 1 } }, ['a', 'b']), 1)
  for (const tree of [undefined, 'a', ['a'], { a: null }, { a: 'b' }])
    assert.equal(settingAt(tree, ['a', 'b']), undefined)
})

test('environmentOverrides() takes the token for commands for no setting', () => {
  assert.deepEqual(environmentOverrides({ VERDACCIO_CARGO_TOKEN: 'secret' }), [])
})
