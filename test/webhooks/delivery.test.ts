import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createMessageId,
  type Delivery,
  deadKey,
  encodeDelivery,
  parseDeadKey,
  parseDelivery,
  parsePendingKey,
  pendingKey,
  receiverOf,
  timeOfMessage,
} from '../../src/webhooks/delivery.ts'

const AT = new Date('2026-01-02T03:04:05.678Z')
const DELIVERY: Delivery = {
  id: createMessageId(AT),
  receiver: receiverOf('https://hooks.example/x?key=1'),
  to: 'https://hooks.example',
  event: { kind: 'publish', crate: 'foo', version: '1.0.0', at: AT.toISOString(), detail: { size: 1 } },
  attempts: 2,
  due: AT.getTime(),
  error: 'answers 500',
}

test('createMessageId() sorts by time, and says it', () => {
  assert.match(DELIVERY.id, /^msg_[0-9a-f]{32}$/)
  assert.equal(timeOfMessage(DELIVERY.id), AT.getTime())
  assert.ok(createMessageId(new Date(AT.getTime() + 1)) > DELIVERY.id)
  assert.notEqual(createMessageId(AT), DELIVERY.id)
})

test('receiverOf() tells nothing of the URL, and is the same for the same one', () => {
  assert.match(DELIVERY.receiver, /^[0-9a-f]{16}$/)
  assert.equal(receiverOf('HTTPS://hooks.example:443/x?key=1'), DELIVERY.receiver)
  assert.notEqual(receiverOf('https://hooks.example/x?key=2'), DELIVERY.receiver)
})

test('the keys of deliveries say what they are, and other keys do not', () => {
  const key = pendingKey('me', DELIVERY)
  assert.equal(key, `webhooks/pending/me+${DELIVERY.receiver}+${DELIVERY.id}.json`)
  assert.deepEqual(parsePendingKey(key), { owner: 'me', receiver: DELIVERY.receiver, id: DELIVERY.id })
  assert.equal(deadKey(AT, DELIVERY.id), `webhooks/dead/2026-01-02/${DELIVERY.id}.json`)
  assert.equal(parseDeadKey(deadKey(AT, DELIVERY.id)), DELIVERY.id)
  for (const other of ['webhooks/pending/me/x.json', 'webhooks/dead/x', 'crates/3/f/foo/00000001.json']) {
    assert.equal(parsePendingKey(other), undefined)
    assert.equal(parseDeadKey(other), undefined)
  }
})

test('parseDelivery() reads what encodeDelivery() wrote, and nothing else', () => {
  assert.deepEqual(parseDelivery(encodeDelivery(DELIVERY)), DELIVERY)
  const whole = encodeDelivery(DELIVERY).toString()
  const damaged = ['', '{', 'null', '[]', '"x"', whole.slice(0, -20), whole.replace('"publish"', '"fly"')]
  damaged.push(
    whole.replace('"attempts":2', '"attempts":"2"'),
    whole.replace(/"due":"[^"]*"/, '"due":"soon"'),
  )
  for (const bytes of damaged) assert.equal(parseDelivery(Buffer.from(bytes)), undefined, bytes)
})
