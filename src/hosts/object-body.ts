import { Readable } from 'node:stream'
import { CargoError } from '../errors.ts'

/** A stream of `bytes`, which must not change any more. */
export function bodyOf(bytes: Uint8Array): Readable {
  return new Readable({
    read() {
      if (bytes.length > 0) this.push(bytes)
      this.push(null)
    },
  })
}

/** All bytes of a body, in a buffer of their own. A failure of the source is passed on as it is. */
export async function collect(body: Uint8Array | Readable): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body)
  const chunks: Uint8Array[] = []
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new CargoError('internal', 'a stream to store must yield bytes')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
