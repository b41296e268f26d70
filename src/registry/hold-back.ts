import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { CargoError } from '../errors.ts'

/** So much of the end is held back until the checksum agrees: a client can never complete what is wrong. */
export const HELD_BACK = 64 * 1024

/** The bytes of `source`, which is a large blob's; fails before the last of them, or tells that they were `verified`. */
export async function* holdBack(
  source: Readable,
  sha256: string,
  corrupt: () => CargoError,
  verified: () => void,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let held: Buffer[] = []
  let heldBytes = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    hash.update(chunk)
    held.push(chunk)
    heldBytes += chunk.length
    while (held[0] !== undefined && heldBytes - held[0].length >= HELD_BACK) {
      heldBytes -= held[0].length
      yield held[0]
      held = held.slice(1)
    }
  }
  if (hash.digest('hex') !== sha256) throw corrupt()
  verified()
  yield* held
}
