import { Readable } from 'node:stream'
import { CargoError } from '../errors.ts'
import { s3Error } from './s3-error.ts'

/** The body of an answer: how long it must be, and how long to wait for more of it, in milliseconds. */
export interface BodySpec {
  readonly bytes: number
  readonly timeout: number
}

/**
 * The same bytes, or a failure: of a body that is cut, too long or stuck, no end is told. Time counts only while
 * somebody reads: a slow reader is no fault of the store.
 */
export function checkedBody(source: Readable, { bytes, timeout }: BodySpec): Readable {
  // It may fail before anybody reads, which without a listener ends the process; reading tells it later.
  source.on('error', () => {})
  const chunks: AsyncIterator<unknown, undefined> = source[Symbol.asyncIterator]()
  let left = bytes

  async function next(): Promise<Uint8Array | null> {
    const { value: chunk } = await withinTime(chunks.next(), timeout)
    if (chunk === undefined) {
      if (left > 0) throw new CargoError('unavailable', 'an object of the storage ended early')
      return null
    }
    if (!(chunk instanceof Uint8Array) || chunk.length > left)
      throw new CargoError('unavailable', 'an object of the storage is longer than it should be')
    left -= chunk.length
    return chunk
  }

  return new Readable({
    read() {
      next().then(
        (chunk) => this.push(chunk),
        (error: unknown) => this.destroy(s3Error(error)),
      )
    },
    destroy(error, callback) {
      source.destroy()
      callback(error)
    },
  })
}

async function withinTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = () => reject(new CargoError('unavailable', 'the storage stopped in the middle of an object'))
  const timer = setTimeout(late, ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
