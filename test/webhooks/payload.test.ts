import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CargoEvent } from '../../src/host.ts'
import { renderPayload, renderPing } from '../../src/webhooks/payload.ts'

const EVENT: CargoEvent = {
  kind: 'yank',
  crate: 'foo',
  version: '1.0.0',
  by: 'ann',
  at: '2026-01-02T03:04:05.000Z',
}

test('renderPayload() tells the type, the time and the event', () => {
  assert.deepEqual(JSON.parse(renderPayload(EVENT)), { type: 'crate.yank', timestamp: EVENT.at, data: EVENT })
})

test('renderPayload() leaves out a detail that is too large', () => {
  const versions = Array.from({ length: 5000 }, (_, n) => `1.0.${n}`)
  const text = renderPayload({ ...EVENT, kind: 'remove', detail: { versions } })
  assert.ok(text.length < 1000)
  assert.deepEqual(JSON.parse(text).data.detail, { omitted: 'too large' })
})

test('renderPing() is no event', () => {
  const at = new Date(EVENT.at)
  assert.equal(renderPing(at), '{"type":"ping","timestamp":"2026-01-02T03:04:05.000Z","data":{}}')
})
