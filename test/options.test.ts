import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OptionsError, parseOptions, readsNeedLogin } from '../src/options.ts'

test('parseOptions() fills in defaults', () => {
  const options = parseOptions(undefined)
  assert.equal(options.mount, '/cargo')
  assert.equal(options.limits.crate, 10 * 1024 * 1024)
  assert.deepEqual(options.packages, {
    '**': { access: ['$all'], publish: ['$authenticated'], shadow: 'refuse', min_age: 0 },
  })
  assert.equal(readsNeedLogin(options), false)
})

test('parseOptions() reads sizes with units, and names as lists or text', () => {
  const sizes: [string | number, number][] = [
    [5, 5],
    ['5', 5],
    ['5b', 5],
    ['2k', 2000],
    ['2 KiB', 2048],
    ['3MB', 3_000_000],
    ['1GiB', 2 ** 30],
  ]
  for (const [written, bytes] of sizes) {
    assert.equal(parseOptions({ limits: { crate: written } }).limits.crate, bytes, String(written))
  }
  assert.deepEqual(parseOptions({ admins: ' ann  team ' }).admins, ['ann', 'team'])
})

test('parseOptions() reads rates', () => {
  const rates: [false | string | { rate: string; burst?: number }, object | false][] = [
    ['60/m', { count: 60, perMs: 60_000, burst: 60 }],
    ['10/s', { count: 10, perMs: 1000, burst: 10 }],
    ['100/15m', { count: 100, perMs: 900_000, burst: 100 }],
    ['1/1.5h', { count: 1, perMs: 5_400_000, burst: 1 }],
    [
      { rate: '1/m', burst: 10 },
      { count: 1, perMs: 60_000, burst: 10 },
    ],
    [{ rate: '5/d' }, { count: 5, perMs: 86_400_000, burst: 5 }],
    [false, false],
  ]
  for (const [publish, limit] of rates) {
    assert.deepEqual(parseOptions({ rate_limits: { publish } }).rate_limits.publish, limit)
  }
  assert.deepEqual(parseOptions({}).rate_limits.login, { count: 10, perMs: 60_000, burst: 20 })
})

test('parseOptions() refuses mistakes and names the key', () => {
  const cases: [object, RegExp][] = [
    [{ mont: '/x' }, /^invalid options: unknown key `mont`$/],
    [{ mount: 'cargo' }, /`mount`: must be empty or a path like `\/cargo`/],
    [{ mount: '/cargo/' }, /`mount`/],
    [
      { limits: { crate: '10 pounds' } },
      /`limits\.crate`: must be bytes, or a number with a unit such as `10MiB`/,
    ],
    [{ limits: { crate: -1 } }, /`limits\.crate`/],
    [{ packages: { 'a*': { acess: '$all' } } }, /unknown key `packages\.a\*\.acess`/],
    [{ rules: 'strict' }, /`rules`/],
    [{ rate_limits: { login: '0/m' } }, /`rate_limits\.login`/],
    [{ rate_limits: { login: '60' } }, /`rate_limits\.login`/],
    [{ rate_limits: { publish: true } }, /`rate_limits\.publish`: must be a number in a time/],
    [{ rate_limits: { unyank: '1/m' } }, /unknown key `rate_limits\.unyank`/],
    [{ aliases: ['not a url'] }, /`aliases\.0`/],
    [{ packages: { '**': { deny: ['ryu<1.0.10: x'] } } }, /`packages\.\*\*\.deny\.0`: must be `name@req/],
    [{ packages: { '**': { min_age_except: ['a>=1'] } } }, /`packages\.\*\*\.min_age_except\.0`/],
    [{ packages: { '**': { proxy: 'nope' } } }, /`packages\.\*\*\.proxy`: `nope` is not in `uplinks`/],
    [{ uplinks: { a: { url: 'ftp://x' } } }, /`uplinks\.a\.url`: must be the http or https URL/],
    [{ uplinks: { a: { url: 'https://x', maxage: 'soon' } } }, /`uplinks\.a\.maxage`/],
    [{ uplinks: { a: { url: 'https://x', auth: { token_env: 'T' } } } }, /`uplinks\.a\.auth\.token`/],
    [
      { auth_required: false, packages: { 'p-*': { access: 'team' } } },
      /`auth_required: false` contradicts `packages\.p-\*\.access`/,
    ],
  ]
  for (const [options, message] of cases) {
    assert.throws(
      () => parseOptions(options),
      (error: Error) => {
        assert.ok(error instanceof OptionsError)
        assert.match(error.message, message)
        return true
      },
    )
  }
})

test('readsNeedLogin() follows the narrowest rule', () => {
  assert.equal(readsNeedLogin(parseOptions({ packages: { 'p-*': { access: 'team' }, '**': {} } })), true)
  assert.equal(readsNeedLogin(parseOptions({ packages: { '**': { access: 'all' } } })), false)
  assert.equal(readsNeedLogin(parseOptions({ auth_required: true })), true)
})
