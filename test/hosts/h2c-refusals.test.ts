import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type H2cRequest, renderOffer } from '../support/h2c-client.ts'
import { raw, start } from './h2c-host.ts'

const HOST = { host: 'a.example' }
const STAYS: readonly (readonly [string, H2cRequest])[] = [
  ['a body', { path: '/', method: 'PUT', headers: { 'content-length': '0' } }],
  ['a body of a GET', { path: '/', headers: { 'content-length': '0' } }],
  ['chunks', { path: '/', headers: { 'transfer-encoding': 'chunked' } }],
  ['another method', { path: '/', method: 'DELETE' }],
  ['a proxy: Via', { path: '/', headers: { via: '1.1 proxy' } }],
  ['a proxy: Forwarded', { path: '/', headers: { Forwarded: 'for=10.0.0.1' } }],
  ['a proxy: X-Forwarded-For', { path: '/', headers: { 'X-Forwarded-For': '10.0.0.1' } }],
  ['a proxy: X-Forwarded-Proto', { path: '/', headers: { 'x-forwarded-proto': 'http' } }],
  ['a proxy: X-Real-IP', { path: '/', headers: { 'X-Real-IP': '10.0.0.1' } }],
  ['an absolute target', { path: 'http://a.example/x', headers: HOST }],
  ['a strange host', { path: '/', headers: { host: 'a@b' } }],
  ['settings not named', { path: '/', headers: { connection: 'Upgrade' } }],
  ['an upgrade not named', { path: '/', headers: { connection: 'HTTP2-Settings' } }],
  ['settings that are none', { path: '/', headers: { 'http2-settings': '!' } }],
  ['half a setting', { path: '/', headers: { 'http2-settings': 'AAMAAAB' } }],
  ['a window too large', { path: '/', headers: { 'http2-settings': 'AASAAAAA' } }],
  ['frames too small', { path: '/', headers: { 'http2-settings': 'AAUAAAAB' } }],
  ['a push that is neither', { path: '/', headers: { 'http2-settings': 'AAIAAAAC' } }],
  [
    'very many headers',
    { path: '/', headers: Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`a${n}`, ''])) },
  ],
]

for (const [title, asked] of STAYS) {
  test(`answerH2c() goes on over HTTP/1.1: ${title}`, async (t) => {
    const { port } = await start(t)
    const ending = asked.headers?.['transfer-encoding'] === undefined ? '' : '0\r\n\r\n'
    const answer = await raw(port, Buffer.concat([renderOffer(port, asked), Buffer.from(ending)]))
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n1\.1 /)
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1)
  })
}

const BAD_OPENINGS: readonly (readonly [string, string])[] = [
  ['not HTTP/2', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['no settings', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x08\x06\0\0\0\0\0abcdefgh'],
  ['settings of a stream', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\x01'],
  ['an acknowledgement', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\x01\0\0\0\0'],
  ['half a setting', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x03\x04\0\0\0\0\0abc'],
  ['too many settings', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x01\0\x02\x04\0\0\0\0\0'],
]

for (const [title, opening] of BAD_OPENINGS) {
  test(`answerH2c() refuses a client that goes on with ${title}`, async (t) => {
    const { port, http2 } = await start(t)
    let sessions = 0
    http2.on('session', () => {
      sessions += 1
    })
    const got = await raw(port, renderOffer(port, { path: '/' }), Buffer.from(opening, 'latin1'))
    const after = got.slice(got.indexOf('\r\n\r\n') + 4)
    assert.equal(after, '\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01')
    assert.equal(sessions, 0)
  })
}

test('answerH2c() refuses a connection that begins with HTTP/2', async (t) => {
  const { port, http2 } = await start(t)
  http2.on('session', () => assert.fail('a session'))
  const opening = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'
  for (const pieces of [[opening], [opening.slice(0, 18), opening.slice(18)]])
    assert.match(await raw(port, ...pieces), /^(HTTP\/1\.1 400 [^\n]*\r\nConnection: close\r\n\r\n)?$/)
})
