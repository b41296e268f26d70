import { compareVersions, isPrerelease } from './version.ts'

/** What is looked at to find the versions that stand for a crate. */
export interface RankedVersion {
  readonly entry: { readonly vers: string; readonly yanked: boolean }
  /** When it was published; RFC 3339. */
  readonly at: string
}

/** The versions that stand for a crate. Yanked ones never do, unless all are: then one of them is everything. */
export interface TopVersions<V extends RankedVersion = RankedVersion> {
  /** The one that is shown: the highest that is no pre-release, else the highest. */
  readonly shown: V
  /** The highest, pre-releases included. */
  readonly highest: V
  /** The last published; of those of one moment the last one. */
  readonly newest: V
  /** All are. */
  readonly yanked: boolean
}

/** The top of versions, in the order of publishing; `undefined` of none. */
export function topOf<V extends RankedVersion>(versions: Iterable<V>): TopVersions<V> | undefined {
  let top: TopVersions<V> | undefined
  for (const version of versions) top = topWith(top, version)
  return top
}

/** The top after one more version. */
export function topWith<V extends RankedVersion>(top: TopVersions<V> | undefined, next: V): TopVersions<V> {
  const { yanked } = next.entry
  if (top === undefined || (top.yanked && !yanked)) return onlyOne(next, yanked)
  if (yanked) return top.yanked && isShownBefore(next, top.shown) ? onlyOne(next, true) : top
  return {
    shown: isShownBefore(next, top.shown) ? next : top.shown,
    highest: isHigher(next, top.highest) ? next : top.highest,
    newest: isBefore(next.at, top.newest.at) ? top.newest : next,
    yanked: false,
  }
}

function onlyOne<V extends RankedVersion>(version: V, yanked: boolean): TopVersions<V> {
  return { shown: version, highest: version, newest: version, yanked }
}

function isShownBefore(a: RankedVersion, b: RankedVersion): boolean {
  const isPre = isPrerelease(a.entry.vers)
  return isPre === isPrerelease(b.entry.vers) ? isHigher(a, b) : !isPre
}

function isHigher(a: RankedVersion, b: RankedVersion): boolean {
  return compareVersions(a.entry.vers, b.entry.vers) > 0
}

/** The first and the last of some times, RFC 3339; of equal ones the first, and the last. */
export function spanOf(times: readonly string[]): readonly [earliest?: string, latest?: string] {
  let [earliest] = times
  let latest = earliest
  for (const time of times) {
    if (earliest !== undefined && isBefore(time, earliest)) earliest = time
    if (latest !== undefined && !isBefore(time, latest)) latest = time
  }
  return earliest === undefined || latest === undefined ? [] : [earliest, latest]
}

/** Nearly all times are spelled alike, and then their text is in their order. */
function isBefore(a: string, b: string): boolean {
  return isPubtime(a) && isPubtime(b) ? a < b : Date.parse(a) < Date.parse(b)
}

function isPubtime(time: string): boolean {
  return time.length === PUBTIME_LENGTH && time.endsWith('Z')
}

/** Of `YYYY-MM-DDTHH:MM:SSZ`. */
const PUBTIME_LENGTH = 20
