import { canonicalName } from '../protocol/name.ts'
import { remembered } from './remembered.ts'

/** So many are remembered: to make one costs as much as to find what it is the key of. */
const MAX_KEYS = 10_000

/** {@link canonicalName}, which remembers its answers. */
export function knownKeys(): (name: string) => string {
  return remembered(canonicalName, MAX_KEYS)
}
