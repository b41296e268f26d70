import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signatureHeaders } from '../../src/webhooks/signature.ts'

/** The example that the libraries of Standard Webhooks are tested with. */
const SECRET = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const MESSAGE = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' }

for (const secret of [SECRET, `whsec_${SECRET}`]) {
  test(`signatureHeaders() signs as the specification says when the secret is \`${secret}\``, () => {
    assert.deepEqual(signatureHeaders(secret, MESSAGE), {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })
}
