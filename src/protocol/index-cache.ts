import { CargoError } from '../errors.ts'

/** The version byte of cargo's cache of an index file, and of the index schema in it (cargo 1.95, `index/cache.rs`). */
const CACHE_VERSION = 3
const HEADER_BYTES = 5

/** Whether these bytes are one of cargo's own cache files (`$CARGO_HOME/registry/index/…/.cache/`), not an index file. */
export function isIndexCache(bytes: Uint8Array): boolean {
  return bytes[0] === CACHE_VERSION
}

/**
 * The index lines in one of cargo's cache files: after the header and the validator, a version and its line by turns,
 * each ended by NUL.
 * @throws {CargoError} `invalid_body` when the file is cut
 */
export function linesOfIndexCache(bytes: Uint8Array): string {
  const parts = Buffer.from(bytes).subarray(HEADER_BYTES).toString('utf8').split('\0')
  if (!isIndexCache(bytes) || parts.pop() !== '' || parts.length % 2 === 0) {
    throw new CargoError('invalid_body', "not a whole file of cargo's index cache")
  }
  return parts
    .filter((_, position) => position > 0 && position % 2 === 0)
    .map((line) => `${line}\n`)
    .join('')
}
