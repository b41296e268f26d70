import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import test from 'node:test'
import { type BodyReader, createBodyReader } from '../../src/registry/body-reader.ts'
import { pieces } from '../support/inspection.ts'

const BODY = Buffer.from('0123456789')
const CUT = { name: 'CargoError', code: 'invalid_body', status: 400 }

async function* chunks(size: number): AsyncGenerator<Buffer> {
  yield* pieces(BODY, size)
}

/** Readers of the same body, cut in every way. */
function* readers(): Generator<BodyReader> {
  for (let size = 1; size <= BODY.length + 1; size++) yield createBodyReader(chunks(size))
}

test('take() and last() give each part, however the body is cut', async () => {
  for (const reader of readers()) {
    assert.equal(String(await reader.take(3, 'one')), '012')
    assert.equal(String(await reader.take(0, 'nothing')), '')
    assert.equal(String(await reader.take(4, 'two')), '3456')
    assert.equal(String(await buffer(reader.last(3, 'three'))), '789')
  }
})

test('take() refuses a body that ends before', async () => {
  for (const reader of readers()) {
    await reader.take(8, 'one')
    await assert.rejects(reader.take(3, 'the metadata'), {
      ...CUT,
      message: 'invalid publish body: the metadata has 2 of its 3 bytes',
    })
  }
})

test('last() refuses a body that ends before or goes on after', async () => {
  for (const reader of readers()) {
    await reader.take(4, 'one')
    await assert.rejects(buffer(reader.last(7, 'the crate')), {
      ...CUT,
      message: 'invalid publish body: the crate has 6 of its 7 bytes',
    })
  }
  for (const size of [0, 5]) {
    for (const reader of readers()) {
      await reader.take(4, 'one')
      await assert.rejects(buffer(reader.last(size, 'the crate')), {
        ...CUT,
        message: `invalid publish body: it goes on after the ${size} bytes of the crate`,
      })
    }
  }
})

test('last() takes no bytes from a body without any left', async () => {
  for (const reader of readers()) {
    await reader.take(BODY.length, 'all')
    assert.equal((await buffer(reader.last(0, 'nothing'))).length, 0)
  }
})

test('take() passes a failure of the source on', async () => {
  async function* failing(): AsyncGenerator<Buffer> {
    yield BODY
    throw new RangeError('reset')
  }
  await assert.rejects(createBodyReader(failing()).take(11, 'one'), RangeError)
  const reader = createBodyReader(failing())
  await reader.take(5, 'one')
  await assert.rejects(buffer(reader.last(6, 'two')), RangeError)
})

test('take() reads views of larger buffers as what they show', async () => {
  async function* views(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(BODY).subarray(2, 5)
  }
  assert.equal(String(await createBodyReader(views()).take(3, 'one')), '234')
})
