import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCacheWatch } from '../../src/registry/cache-watch.ts'

function watched() {
  const lines: string[] = []
  const note = (level: string) => (fields: object, message?: string) =>
    void lines.push(`${level} ${message} ${Object.keys(fields).join()}`)
  const logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  return { lines, told: createCacheWatch(logger) }
}

const AWAY = 'warn the metadata cache does not answer: everything goes on without it, slower err,result'
const BACK = 'info the metadata cache answers again '

test('a cache that goes away is told of once, and so is its return', () => {
  const { lines, told } = watched()
  told('get', 'ok')
  for (let i = 0; i < 20; i++) told('get', 'failed', new Error('gone'))
  for (let i = 0; i < 20; i++) told('get', 'skipped')
  assert.deepEqual(lines, [AWAY])
  told('set', 'ok')
  told('get', 'ok')
  assert.deepEqual(lines, [AWAY, BACK])
  for (let i = 0; i < 5; i++) told('get', 'timeout')
  assert.deepEqual(lines, [AWAY, BACK, AWAY])
})

test('slow moments are not told of', () => {
  const { lines, told } = watched()
  for (let i = 0; i < 20; i++) told('get', i % 5 === 4 ? 'ok' : 'timeout')
  assert.deepEqual(lines, [])
})
