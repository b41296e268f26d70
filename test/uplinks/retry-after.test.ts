import assert from 'node:assert/strict'
import test from 'node:test'
import { parseRetryAfter } from '../../src/uplinks/retry-after.ts'

const NOW = Date.parse('2026-01-01T12:00:00Z')

test('parseRetryAfter() reads seconds and dates when they make sense', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['7', 7],
    [' 7 ', 7],
    ['0', 1],
    ['3600', 3600],
    ['86400', 3600],
    ['9'.repeat(400), 3600],
    ['Thu, 01 Jan 2026 12:00:30 GMT', 30],
    ['Thursday, 01-Jan-26 12:00:30 GMT', 30],
    ['Thu Jan  1 12:00:30 2026', 30],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 1],
    ['Fri, 01 Jan 2027 12:00:00 GMT', 3600],
  ]
  for (const [header, seconds] of cases) assert.equal(parseRetryAfter(header, NOW), seconds, header)
})

test('parseRetryAfter() rounds up when a second has begun', () => {
  assert.equal(parseRetryAfter('Thu, 01 Jan 2026 12:00:30 GMT', NOW + 100), 30)
})

test('parseRetryAfter() is undefined when there is nothing to read', () => {
  const cases = [
    undefined,
    '',
    ' ',
    '-5',
    '1.5',
    '+7',
    '0x10',
    '7s',
    'soon',
    'Thu, 99 Jan 2026',
    '2027-01-01',
  ]
  for (const header of cases) assert.equal(parseRetryAfter(header, NOW), undefined, header)
})
