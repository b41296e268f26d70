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

/** Bytes that are hashed before others have their turn; a millisecond or so. */
const PART = 1024 * 1024

/** Whether the bytes are as {@link sealJson} wrote them. */
export function isSealed(bytes: Uint8Array): boolean {
  const end = endOf(bytes)
  return sealIn(bytes, end) === digest(bytes.subarray(0, end))
}

/** The same of very many bytes, found out so that others can have their turn in between. */
export function* isSealedInParts(bytes: Uint8Array): Generator<undefined, boolean> {
  const end = endOf(bytes)
  const hash = createHash('sha256')
  for (let from = 0; from < end; from += PART) {
    hash.update(bytes.subarray(from, Math.min(end, from + PART)))
    yield
  }
  return sealIn(bytes, end) === hash.digest('hex')
}

/** Where the seal begins, if there is one. */
function endOf(bytes: Uint8Array): number {
  return Math.max(0, bytes.length - SEAL_LENGTH)
}

function sealIn(bytes: Uint8Array, end: number): string | undefined {
  return SEAL.exec(Buffer.from(bytes.subarray(end)).toString('latin1'))?.[1]
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}
