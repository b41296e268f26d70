import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpiry } from '../../src/protocol/expiry.ts'

const NOW = new Date('2026-11-25T12:00:00Z')

test('parseExpiry() takes days, dates and times', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['1d', '2026-11-26T12:00:00.000Z'],
    ['30d', '2026-12-25T12:00:00.000Z'],
    ['2027-01-31', '2027-01-31T00:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['2027-01-31T10:00:00Z', '2027-01-31T10:00:00.000Z'],
    ['2027-01-31T10:00:00+02:00', '2027-01-31T08:00:00.000Z'],
    ['2027-01-31T10:00Z', '2027-01-31T10:00:00.000Z'],
  ]
  for (const [text, expected] of cases) assert.equal(parseExpiry(text, NOW), expected, text)
})

test('parseExpiry() refuses the past and what is no time', () => {
  for (const text of ['0d', '2026-11-25', '2001-01-01T00:00:00Z'])
    assert.throws(() => parseExpiry(text, NOW), {
      code: 'invalid_request',
      message: /must be in the future$/,
    })
  const none = ['', 'd', '30', '-1d', '1.5d', '99999d', 'soon', '2027-02-30', '2027-13-01', '2027-1-1']
  for (const text of [
    ...none,
    '2027-01-31T10:00:00',
    '2027-01-31T25:00:00Z',
    '2027',
    '9999-01-01',
    '31/01/2027',
  ])
    assert.throws(
      () => parseExpiry(text, NOW),
      { code: 'invalid_request', message: /must be days such/ },
      text,
    )
})
