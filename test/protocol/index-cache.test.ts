import assert from 'node:assert/strict'
import test from 'node:test'
import { isIndexCache, linesOfIndexCache } from '../../src/protocol/index-cache.ts'
import { renderLine, renderLines } from '../../src/protocol/index-entry.ts'
import { indexEntry } from '../support/changes.ts'

const entries = ['1.0.0', '1.1.0-ä', '2.0.0'].map((vers) => indexEntry({ vers }))

/** As cargo 1.95 writes it: version byte, index version as u32, validator, then version and line by turns. */
function cacheFile(versions: readonly (readonly [string, string])[]): Buffer {
  const parts = ['etag: "abc"', ...versions.flat()].map((part) => `${part}\0`)
  return Buffer.concat([Buffer.from([3, 2, 0, 0, 0]), Buffer.from(parts.join(''))])
}

const whole = cacheFile(entries.map((entry) => [entry.vers, renderLine(entry)]))

test('linesOfIndexCache() gives the index file back', () => {
  assert.equal(linesOfIndexCache(whole), renderLines(entries))
  assert.equal(linesOfIndexCache(cacheFile([])), '')
})

test('linesOfIndexCache() refuses a cut file', () => {
  const second = whole.indexOf('1.1.0') + '1.1.0'.length + 1
  for (const end of [0, 1, 5, 8, whole.length - 1, second]) {
    assert.throws(() => linesOfIndexCache(whole.subarray(0, end)), { code: 'invalid_body' }, `${end} bytes`)
  }
  assert.throws(() => linesOfIndexCache(Buffer.from(renderLines(entries))), { code: 'invalid_body' })
})

test('isIndexCache() tells cache and index files apart', () => {
  assert.equal(isIndexCache(whole), true)
  assert.equal(isIndexCache(Buffer.from(renderLines(entries))), false)
  assert.equal(isIndexCache(Buffer.alloc(0)), false)
})
