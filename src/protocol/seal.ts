import { createHash } from 'node:crypto'

/** `,"seal":"<64 hex digits>"}` and a newline: the end of every sealed object. */
const SEAL = /^,"seal":"([0-9a-f]{64})"\}\n$/
const SEAL_LENGTH = Buffer.byteLength(`,"seal":"${'0'.repeat(64)}"}\n`)

/**
 * One line of JSON whose last key is the SHA-256 of all the bytes before it: a bit that flips anywhere is found, also
 * where the JSON and its fields would stay valid. `value` must have a key.
 */
export function sealJson(value: object): Buffer {
  const text = JSON.stringify(value).slice(0, -1)
  return Buffer.from(`${text},"seal":"${digest(text)}"}\n`)
}

/** The same of a value whose JSON, but for its last brace, comes in parts; others can have their turn after each. */
export function* sealInParts(texts: Iterable<string>): Generator<undefined, Buffer> {
  const hash = createHash('sha256')
  const parts: Buffer[] = []
  for (const text of texts) {
    const part = Buffer.from(text)
    hash.update(part)
    parts.push(part)
    yield
  }
  return Buffer.concat([...parts, Buffer.from(`,"seal":"${hash.digest('hex')}"}\n`)])
}

/** Whether the bytes are as {@link sealJson} wrote them. */
export function isSealed(bytes: Uint8Array): boolean {
  const end = Math.max(0, bytes.length - SEAL_LENGTH)
  const seal = SEAL.exec(Buffer.from(bytes.subarray(end)).toString('latin1'))?.[1]
  return seal !== undefined && seal === digest(bytes.subarray(0, end))
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}
