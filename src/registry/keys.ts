import { canonicalName, indexPath } from '../protocol/name.ts'

/** Digits of a change's number: keys sort as numbers do, up to 99,999,999 changes of one crate. */
const CHANGE_DIGITS = 8
/** Digits of the catalogue's numbers, which count the publishes of all crates. */
const CATALOGUE_DIGITS = 12

/** Where change `n` of a crate is stored; the same for every spelling of its name. */
export function changeKey(name: string, n: number): string {
  return `crates/${indexPath(canonicalName(name))}/${numbered(n, CHANGE_DIGITS)}`
}

/** Where the newest fold of a crate's changes is kept. */
export function checkpointKey(name: string): string {
  return `checkpoints/${indexPath(canonicalName(name))}.json`
}

/** Where bytes with this SHA-256 (64 lower-case hex digits) are stored. */
export function blobKey(sha256: string): string {
  return `blobs/sha256/${sha256.slice(0, 2)}/${sha256}`
}

export const ADDITIONS_PREFIX = 'catalogue/additions/'
export const SNAPSHOTS_PREFIX = 'catalogue/snapshots/'

/** Where addition `n` to the catalogue is stored. */
export function additionKey(n: number): string {
  return ADDITIONS_PREFIX + numbered(n, CATALOGUE_DIGITS)
}

/** Where the catalogue up to addition `n` is stored. */
export function snapshotKey(n: number): string {
  return SNAPSHOTS_PREFIX + numbered(n, CATALOGUE_DIGITS)
}

/** The number in a key that `additionKey` or `snapshotKey` made; `undefined` for any other. */
export function numberOf(key: string): number | undefined {
  const digits = /\/(\d+)\.json$/.exec(key)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** The secret that seals what goes into the shared cache. */
export const CACHE_SECRET_KEY = 'secrets/cache-seal'

function numbered(n: number, digits: number): string {
  return `${String(n).padStart(digits, '0')}.json`
}
