import { Readable } from 'node:stream'
import type { ByteRange } from '../../host.ts'

/** The bytes in a range of a stream, for sources that only give all of them. */
export function sliceBytes(body: Readable, { start, end }: ByteRange): Readable {
  async function* slice(): AsyncGenerator<Uint8Array> {
    let position = 0
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      const part = chunk.subarray(Math.max(0, start - position), Math.max(0, end - position))
      position += chunk.length
      if (part.length > 0) yield part
      if (position >= end) return
    }
  }
  return Readable.from(slice(), { objectMode: false })
}
