import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseListen, renderListen } from '../../src/server/listen.ts'

test('parseListen() reads hosts, addresses and ports', () => {
  const cases = [
    ['127.0.0.1:8081', '127.0.0.1', 8081, false],
    ['localhost:0', 'localhost', 0, false],
    ['[::1]:443', '::1', 443, false],
    ['0.0.0.0:80', '0.0.0.0', 80, true],
    ['[::]:80', '::', 80, true],
  ] as const
  for (const [text, host, port, wildcard] of cases) {
    assert.deepEqual(parseListen(text), { host, port, wildcard })
    assert.equal(renderListen({ host, port }), text)
  }
})

test('parseListen() takes nothing else', () => {
  for (const text of [
    '',
    '8081',
    ':8081',
    'localhost',
    'localhost:',
    'localhost:65536',
    '::1:80',
    'http://a:1',
    'a b:1',
  ]) {
    assert.equal(parseListen(text), undefined, text)
  }
})
