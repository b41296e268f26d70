import { CargoError } from '../errors.ts'
import type { ByteRange } from '../host.ts'

/**
 * The range a `Range` header asks for, of `size` bytes. A header that is absent, malformed, in another unit or with
 * several ranges is ignored, as RFC 9110 section 14.2 allows: the whole is sent.
 * @throws {CargoError} `range_not_satisfiable` when it begins after the end
 */
export function parseRange(header: string, size: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header)
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const [first, last] = [match[1] ?? '', match[2] ?? '']
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  if (start >= size) {
    throw new CargoError(
      'range_not_satisfiable',
      `range \`${header}\` begins after the end of the ${size} bytes`,
      {
        headers: { 'Content-Range': `bytes */${size}` },
      },
    )
  }
  return { start, end }
}
