import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CargoError } from '../../src/errors.ts'
import { encodePublishBody, parseLength, parsePublishBody } from '../../src/protocol/publish-body.ts'

const CRATE = Buffer.from('crate bytes')
const BODY = encodePublishBody({ name: 'foo', vers: '1.0.0' }, CRATE)

function patched(offset: number, length: number): Buffer {
  const copy = Buffer.from(BODY)
  copy.writeUInt32LE(length, offset)
  return copy
}

test('parsePublishBody() reads what encodePublishBody() wrote', () => {
  const { metadata, crate } = parsePublishBody(BODY)
  assert.equal(metadata.name, 'foo')
  assert.deepEqual(Buffer.from(crate), CRATE)
})

test('parsePublishBody() refuses every cut of a body and every extra byte', () => {
  for (let end = 0; end < BODY.length; end++) {
    assert.throws(() => parsePublishBody(BODY.subarray(0, end)), { code: 'invalid_body' }, String(end))
  }
  assert.throws(() => parsePublishBody(Buffer.concat([BODY, Buffer.alloc(1)])), {
    code: 'invalid_body',
    message: 'publish body has `1` bytes after the crate file: must end there',
  })
})

test('parsePublishBody() refuses wrong lengths', () => {
  const second = BODY.length - CRATE.length - 4
  for (const [body, code] of [
    [patched(0, 0), 'invalid_body'],
    [patched(0, 0xffffffff), 'too_large'],
    [patched(second, 0), 'invalid_body'],
    [patched(second, 0xffffffff), 'too_large'],
    [patched(second, CRATE.length - 1), 'invalid_body'],
    [patched(second, CRATE.length + 1), 'invalid_body'],
  ] as const) {
    assert.throws(() => parsePublishBody(body), { code })
  }
})

test('parsePublishBody() answers any changed byte with a body or a refusal', () => {
  for (let at = 0; at < BODY.length; at++) {
    for (const value of [0, 1, 0x22, 0x7f, 0x80, 0xff]) {
      const body = Buffer.from(BODY)
      body[at] = value
      try {
        parsePublishBody(body)
      } catch (error) {
        assert.ok(error instanceof CargoError && error.status < 500, `${at} ${value}`)
      }
    }
  }
})

test('parseLength() judges a length before anything is allocated', () => {
  assert.equal(parseLength(Buffer.from([0, 1, 0, 0]), 256, 'metadata'), 256)
  assert.throws(() => parseLength(Buffer.from([1, 1, 0, 0]), 256, 'metadata'), {
    code: 'too_large',
    message: 'metadata has `257` bytes: at most 256 are allowed',
  })
  assert.throws(() => parseLength(Buffer.from([1, 1]), 256, 'metadata'), { code: 'invalid_body' })
})
