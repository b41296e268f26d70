import { CargoError } from '../errors.ts'

const MAX_KEY_BYTES = 512
const MAX_SEGMENT_BYTES = 255 // what file systems can name
const SEGMENT = /^[A-Za-z0-9._+-]+$/

/** Whether `name` may stand between two slashes of a key: `[A-Za-z0-9._+-]`, at most 255 bytes, neither `.` nor `..`. */
export function isKeySegment(name: string): boolean {
  return name.length <= MAX_SEGMENT_BYTES && SEGMENT.test(name) && name !== '.' && name !== '..'
}

/**
 * Checks the key of an object, so that no key ever leaves its store.
 * @throws {CargoError} `internal`: keys are made by the registry, a bad one is a mistake of ours
 */
export function validateKey(key: string): string {
  if (key.length <= MAX_KEY_BYTES && key.split('/').every(isKeySegment)) return key
  throw new CargoError('internal', `invalid object key \`${key}\``)
}

/**
 * Checks the prefix of a list: the beginning of a key, possibly empty, possibly in the middle of a segment.
 * @throws {CargoError} `internal`
 */
export function validatePrefix(prefix: string): string {
  const segments = prefix.split('/')
  const last = segments.pop() ?? ''
  const fits = prefix.length <= MAX_KEY_BYTES && segments.every(isKeySegment)
  if (fits && (last === '' || SEGMENT.test(last))) return prefix
  throw new CargoError('internal', `invalid prefix of object keys \`${prefix}\``)
}
