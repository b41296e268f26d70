import assert from 'node:assert/strict'
import test from 'node:test'
import type { z } from 'zod'
import { uplink } from '../../src/options/uplinks.ts'
import { parseHome } from '../../src/uplinks/home.ts'

const home = (input: z.input<typeof uplink>) => parseHome(uplink.parse(input))
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

test('parseHome() finds the index when its URL is spelled in any way', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['sparse+https://index.crates.io/', 'https://index.crates.io/'],
    [' SPARSE+https://index.crates.io ', 'https://index.crates.io/'],
    ['https://Example.com:443/a/b', 'https://example.com/a/b/'],
    ['http://127.0.0.1:1234/a/?b=c#d', 'http://127.0.0.1:1234/a/'],
    ['http://[::1]:80/a', 'http://[::1]/a/'],
  ]
  for (const [url, base] of cases) {
    assert.equal(home({ url }).base.href, base)
    assert.deepEqual(home({ url }).headers, {})
  }
})

test('parseHome() makes a credential when the URL has a user or a password', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['joe:secret', 'joe:secret'],
    ['joe', 'joe:'],
    [':secret', ':secret'],
    ['j%C3%B6rg:a%3Ab%40c', 'jörg:a:b@c'],
    ['joe:100%', 'joe:100%'],
  ]
  for (const [userinfo, pair] of cases) {
    const { base, headers } = home({ url: `https://${userinfo}@example.com/` })
    assert.equal(base.href, 'https://example.com/')
    assert.deepEqual(headers, { authorization: basic(pair) })
  }
})

test('parseHome() renders `auth` by its type, and prefers it, when it is given', () => {
  const url = 'https://joe:secret@example.com/'
  const headers = { Authorization: 'other' }
  const cases = [
    [{ token: 'abc' }, 'abc'],
    [{ token: 'abc', type: 'token' }, 'abc'],
    [{ token: 'abc', type: 'bearer' }, 'Bearer abc'],
    [{ token: 'abc', type: 'basic' }, 'Basic abc'],
  ] as const
  for (const [auth, authorization] of cases)
    assert.deepEqual(home({ url, headers, auth }).headers, { authorization })
})

test('parseHome() keeps configured headers when they are not about the connection', () => {
  const headers = {
    'X-Key': 'a',
    Authorization: 'b',
    'user-agent': 'c',
    Host: 'd',
    'accept-Encoding': 'br',
    'Transfer-Encoding': 'chunked',
    'Proxy-Authorization': 'e',
    Range: 'bytes=0-1',
    'If-None-Match': '*',
  }
  const expected = { 'x-key': 'a', authorization: 'b', 'user-agent': 'c' }
  assert.deepEqual(home({ url: 'https://example.com', headers }).headers, expected)
})
