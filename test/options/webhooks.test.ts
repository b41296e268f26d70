import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OptionsInput, parseOptions } from '../../src/options.ts'
import { SECRET } from '../support/webhook-receiver.ts'

type Hook = NonNullable<OptionsInput['webhooks']>[number]

const URL = 'https://hooks.example/x'

test('parseOptions() fills in the defaults of a webhook', () => {
  const [hook] = parseOptions({ webhooks: [{ url: URL, secret: SECRET }] }).webhooks
  assert.equal(hook?.timeout, 10_000)
  assert.equal(hook?.crates, undefined)
  assert.deepEqual(hook?.events, ['publish', 'yank', 'unyank', 'owners', 'remove', 'integrity'])
})

test('parseOptions() takes a secret with or without its prefix', () => {
  for (const secret of [SECRET, `whsec_${SECRET}`, SECRET.replace(/=+$/, '')])
    assert.equal(parseOptions({ webhooks: [{ url: URL, secret }] }).webhooks[0]?.secret, secret)
})

const MISTAKES: readonly (readonly [unknown, RegExp])[] = [
  [{ url: URL }, /`webhooks\.0\.secret`: must be given where the host does not read `secret_env`/],
  [{ url: URL, secret_env: 'X' }, /`webhooks\.0\.secret`: must be given/],
  [{ url: URL, secret: 'hunter2 hunter2' }, /`webhooks\.0\.secret`: must be the base64 of 24 to 64 bytes/],
  [{ url: URL, secret: 'c2hvcnQ=' }, /`webhooks\.0\.secret`: must be the base64 of 24 to 64 bytes/],
  [{ secret: SECRET }, /`webhooks\.0\.url`/],
  [{ url: 'ftp://hooks.example/', secret: SECRET }, /`webhooks\.0\.url`: must be an http or https URL/],
  [{ url: 'hooks', secret: SECRET }, /`webhooks\.0\.url`: must be an http or https URL/],
  [
    { url: 'https://ann:pw@hooks.example/', secret: SECRET },
    /`webhooks\.0\.url`: must have no user, password/,
  ],
  [{ url: URL, secret: SECRET, events: ['fly'] }, /`webhooks\.0\.events\.0`/],
  [{ url: URL, secret: SECRET, events: [] }, /`webhooks\.0\.events`/],
  [{ url: URL, secret: SECRET, timeout: '1m' }, /`webhooks\.0\.timeout`: must be at most 10s/],
  [{ url: URL, secret: SECRET, headers: { 'a b': 'x' } }, /`webhooks\.0\.headers\.a b`/],
  [{ url: URL, secret: SECRET, retries: 1 }, /unknown key `webhooks\.0\.retries`/],
]

test('parseOptions() says what is wrong with a webhook, and never its secret', () => {
  for (const [hook, message] of MISTAKES) {
    assert.throws(
      () => parseOptions({ webhooks: [hook] }),
      (error: Error) => {
        assert.match(error.message, message)
        for (const secret of [SECRET, 'hunter2', 'c2hvcnQ', 'ann', 'pw@'])
          assert.ok(!error.message.includes(secret))
        return true
      },
    )
  }
})

test('parseOptions() refuses two webhooks with one URL', () => {
  const [one, other] = [URL, 'https://HOOKS.example:443/x'].map((url): Hook => ({ url, secret: SECRET }))
  if (one === undefined || other === undefined) assert.fail()
  assert.throws(() => parseOptions({ webhooks: [one, other] }), {
    message: 'invalid options: `webhooks.1.url`: must not be the URL of another webhook',
  })
})
