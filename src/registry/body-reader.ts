import { CargoError } from '../errors.ts'

/** Reads a request body part by part, never holding more than the part asked for. */
export interface BodyReader {
  /**
   * Exactly `size` bytes, in memory: only for sizes that were checked against a limit.
   * @throws {CargoError} `invalid_body` when the body ends before
   */
  take(size: number, what: string): Promise<Buffer>
  /**
   * Exactly `size` bytes, as they come.
   * @throws {CargoError} `invalid_body` when the body ends before or goes on after them
   */
  last(size: number, what: string): AsyncGenerator<Buffer>
}

/** A reader of `source`; the source is not destroyed when reading stops early. */
export function createBodyReader(source: AsyncIterator<Uint8Array>): BodyReader {
  let rest: Buffer = Buffer.alloc(0)

  async function more(): Promise<Buffer | undefined> {
    const next = await source.next()
    if (next.done) return undefined
    return Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length)
  }

  function cut(what: string, wanted: number, got: number): CargoError {
    return new CargoError('invalid_body', `invalid publish body: ${what} has ${got} of its ${wanted} bytes`)
  }

  return {
    async take(size, what) {
      const parts = [rest]
      let got = rest.length
      while (got < size) {
        const chunk = await more()
        if (chunk === undefined) throw cut(what, size, got)
        parts.push(chunk)
        got += chunk.length
      }
      const all = parts.length === 1 ? rest : Buffer.concat(parts)
      rest = all.subarray(size)
      return all.subarray(0, size)
    },
    async *last(size, what) {
      let left = size
      for (let chunk: Buffer | undefined = rest; chunk !== undefined; chunk = await more()) {
        if (chunk.length > left) {
          throw new CargoError(
            'invalid_body',
            `invalid publish body: it goes on after the ${size} bytes of ${what}`,
          )
        }
        left -= chunk.length
        if (chunk.length > 0) yield chunk
      }
      if (left > 0) throw cut(what, size, size - left)
      rest = Buffer.alloc(0)
    },
  }
}
