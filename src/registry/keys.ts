import { canonicalName, indexPath } from '../protocol/name.ts'

/** Digits of a change's number: keys sort as numbers do, up to 99,999,999 changes of one crate. */
const CHANGE_DIGITS = 8
/** Digits of the catalogue's numbers, which count the publishes of all crates. */
const CATALOGUE_DIGITS = 12
/** Digits of the number of a part of the download history. */
const HISTORY_DIGITS = 4

/** The folder of the changes of all crates. */
export const CHANGES_PREFIX = 'crates/'

/** The folder of a crate's changes; the same for every spelling of its name. */
export function changesPrefix(name: string): string {
  return `${CHANGES_PREFIX}${indexPath(canonicalName(name))}/`
}

/** Where change `n` of a crate is stored. */
export function changeKey(name: string, n: number): string {
  return changesPrefix(name) + numbered(n, CHANGE_DIGITS)
}

/** Where the newest fold of a crate's changes is kept. */
export function checkpointKey(name: string): string {
  return `checkpoints/${indexPath(canonicalName(name))}.json`
}

/** Where bytes with this SHA-256 (64 lower-case hex digits) are stored. */
export function blobKey(sha256: string): string {
  return `blobs/sha256/${sha256.slice(0, 2)}/${sha256}`
}

/** The folder of everything that is kept of an uplink's index. */
export function uplinkPrefix(uplink: string): string {
  return `upstream/${uplink}/`
}

/** The folder of the copies of an uplink's index file; unlike a change's, of one spelling of the name only. */
export function copiesPrefix(uplink: string, name: string): string {
  return `${uplinkPrefix(uplink)}${indexPath(name)}/`
}

/** Where copy `n` of an uplink's index file is stored. */
export function copyKey(uplink: string, name: string, n: number): string {
  return copiesPrefix(uplink, name) + numbered(n, CHANGE_DIGITS)
}

/** The catalogues that search reads: of the local crates, and of those that are kept of uplinks. */
export const CATALOGUE = 'catalogue'
export const KEPT_CATALOGUE = 'upstream-catalogue'

export const ADDITIONS_PREFIX = additionsPrefix(CATALOGUE)
export const SNAPSHOTS_PREFIX = snapshotsPrefix(CATALOGUE)

export function additionsPrefix(catalogue: string): string {
  return `${catalogue}/additions/`
}

export function snapshotsPrefix(catalogue: string): string {
  return `${catalogue}/snapshots/`
}

/** Where addition `n` to a catalogue is stored. */
export function additionKey(n: number, catalogue: string = CATALOGUE): string {
  return additionsPrefix(catalogue) + numbered(n, CATALOGUE_DIGITS)
}

/** Where a catalogue up to addition `n` is stored. */
export function snapshotKey(n: number, catalogue: string = CATALOGUE): string {
  return snapshotsPrefix(catalogue) + numbered(n, CATALOGUE_DIGITS)
}

/** The number in a key that ends in one, as those of copies and of the catalogue; `undefined` for any other. */
export function numberOf(key: string): number | undefined {
  const digits = /\/(\d+)\.json$/.exec(key)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** The folder of who tidied when: the number of the newest object is how often that was. */
export const CARE_PREFIX = 'care/'

/** Where somebody says that he tidies, for the `n`-th time. */
export function careKey(n: number): string {
  return `${CARE_PREFIX}${String(n).padStart(8, '0')}.json`
}

/** The folder of everything that is known about downloads. */
export const DOWNLOADS_PREFIX = 'downloads/'

/** The folder of the downloads of days that are over. */
export const HISTORY_PREFIX = `${DOWNLOADS_PREFIX}history/`

/** Where a process stores what it counted on a day. */
export function dayCountsKey(day: string, replica: string): string {
  return `${DOWNLOADS_PREFIX}${day}/${replica}.json`
}

/** Where part `part` of the downloads of all days up to `day` is stored. */
export function historyKey(day: string, part: number): string {
  return historyPrefix(day) + numbered(part, HISTORY_DIGITS)
}

/** The folder of all parts of the downloads up to `day`. */
export function historyPrefix(day: string): string {
  return `${HISTORY_PREFIX}${day}/`
}

/** Stored once all `parts` of the downloads up to `day` are. In key order it is behind the days and before the history. */
export function foldedKey(day: string, parts: number): string {
  return `${DOWNLOADS_PREFIX}folded/${day}.${parts}.json`
}

/** The folder of the records of who downloaded what, by day. */
export const TRAIL_PREFIX = 'audit/downloads/'

/** Where batch `n` of a process's records of a day is stored. */
export function trailKey(day: string, replica: string, n: number): string {
  return `${TRAIL_PREFIX}${day}/${replica}-${numbered(n, CHANGE_DIGITS)}`
}

/** The secret that seals what goes into the shared cache. */
export const CACHE_SECRET_KEY = 'secrets/cache-seal'

/** The secret that seals the forms of the pages. */
export const FORM_SECRET_KEY = 'secrets/form-seal'

function numbered(n: number, digits: number): string {
  return `${String(n).padStart(digits, '0')}.json`
}
