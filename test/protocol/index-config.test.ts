import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DL_MARKERS,
  downloadUrl,
  parseIndexConfig,
  renderIndexConfig,
} from '../../src/protocol/index-config.ts'

const download = { name: 'MixedCase', version: '1.0.0-a.1+b.2', cksum: 'ab'.repeat(32) }

test('parseIndexConfig() keeps every key that cargo knows or not', () => {
  const config = { dl: 'https://host/{crate}', api: null, 'auth-required': true, 'future-key': { a: [1] } }
  assert.deepEqual(parseIndexConfig(renderIndexConfig(config)), config)
  assert.deepEqual(parseIndexConfig(Buffer.from('{"dl":"http://[::1]:80/x"}')), { dl: 'http://[::1]:80/x' })
})

test('parseIndexConfig() refuses what cargo refuses', () => {
  const dl = '"dl":"https://host/dl"'
  const bodies: [body: string | Buffer, message: RegExp][] = [
    ['', /must be JSON$/],
    ['<html>', /must be JSON$/],
    [Buffer.from([0x7b, 0xff, 0x7d]), /must be JSON$/],
    [`\ufeff{${dl}}`, /must be JSON$/],
    ['null', /must be a JSON object$/],
    ['[]', /must be a JSON object$/],
    ['{}', /invalid `dl`/],
    ['{"dl":1}', /invalid `dl`/],
    ['{"dl":"/dl"}', /invalid `dl`/],
    ['{"dl":"file:///dl"}', /invalid `dl`/],
    ['{"dl":"https://"}', /invalid `dl`/],
    [`{${dl},"api":1}`, /invalid `api`/],
    [`{${dl},"auth-required":null}`, /invalid `auth-required`/],
    [`{${dl},"auth-required":"yes"}`, /invalid `auth-required`/],
  ]
  for (const [body, message] of bodies) {
    assert.throws(() => parseIndexConfig(Buffer.from(body)), { code: 'invalid_body', message }, String(body))
  }
})

test('parseIndexConfig() leaves prototypes alone', () => {
  const config = parseIndexConfig(Buffer.from('{"__proto__":{"api":"https://evil"},"dl":"https://host"}'))
  assert.equal(config.api, undefined)
  assert.equal(Object.getPrototypeOf(config), Object.prototype)
})

test('renderIndexConfig() writes dl, api and auth-required first', () => {
  const config = { other: 1, 'auth-required': false, api: 'https://host', dl: 'https://host/dl' }
  assert.equal(
    renderIndexConfig(config).toString(),
    '{"dl":"https://host/dl","api":"https://host","auth-required":false,"other":1}\n',
  )
})

test('downloadUrl() replaces each marker as often as it occurs and encodes nothing', () => {
  const urls: [dl: string, url: string][] = [
    ['https://h/dl', 'https://h/dl/MixedCase/1.0.0-a.1+b.2/download'],
    ['https://h/dl/', 'https://h/dl//MixedCase/1.0.0-a.1+b.2/download'],
    ['https://h/{crate}-{version}.crate', 'https://h/MixedCase-1.0.0-a.1+b.2.crate'],
    ['https://h/{crate}/{crate}', 'https://h/MixedCase/MixedCase'],
    ['https://h/{prefix}/{lowerprefix}', 'https://h/Mi/xe/mi/xe'],
    ['https://h/{sha256-checksum}', `https://h/${'ab'.repeat(32)}`],
    ['https://h/{unknown}', 'https://h/{unknown}/MixedCase/1.0.0-a.1+b.2/download'],
  ]
  for (const [dl, url] of urls) assert.equal(downloadUrl({ dl }, download), url)
})

test('downloadUrl() leaves no marker behind', () => {
  for (const marker of DL_MARKERS) {
    assert.equal(downloadUrl({ dl: `https://h/${marker}` }, download).includes('{'), false, marker)
  }
})
