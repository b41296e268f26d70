import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createEndings } from '../../../src/http/fast/endings.ts'

function response(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()))
}

const unexpected = (error: unknown) => assert.fail(String(error))
const ended = (responses: readonly ServerResponse[]) => responses.filter((res) => res.writableEnded).length

test('createEndings() ends the answers of a turn together, at its end', async () => {
  const end = createEndings(unexpected)
  const responses = [response(), response(), response()]
  for (const res of responses) end(res, Buffer.from('body'))
  assert.equal(ended(responses), 0)
  await setImmediate()
  assert.equal(ended(responses), 3)
  end(responses[0] ?? response())
  const later = response()
  end(later)
  await setImmediate()
  assert.equal(later.writableEnded, true)
})

test('createEndings() lets no more than 16 answers wait', async () => {
  const end = createEndings(unexpected)
  const responses = Array.from({ length: 70 }, response)
  responses.forEach((res, i) => {
    end(res)
    assert.equal(ended(responses), 16 * Math.floor((i + 1) / 16))
  })
  await setImmediate()
  assert.equal(ended(responses), 70)
})

test('createEndings() ends the others when one cannot be ended, or its client has gone', async () => {
  const errors: unknown[] = []
  const end = createEndings((error) => errors.push(error))
  const [gone, broken, fine] = [response(), response(), response()]
  const refused = new Error('it has no end')
  broken.end = () => {
    throw refused
  }
  gone.destroy()
  for (const res of [gone, broken, fine]) end(res)
  await setImmediate()
  assert.deepEqual(errors, [refused])
  assert.deepEqual(
    [gone, broken, fine].map((res) => res.writableEnded),
    [false, false, true],
  )
  assert.equal(broken.destroyed, true)
})
