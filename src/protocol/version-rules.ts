import { CargoError } from '../errors.ts'
import type { IndexEntry } from './index-entry.ts'
import { normalizeRequirement, validateRequirement } from './requirement.ts'
import { requirementTest, type VersionTest } from './requirement-match.ts'
import { quote } from './text.ts'
import { yankLine } from './yank-line.ts'

/** What is not served, or not yet, of what an uplink has. */
export interface VersionRules {
  /** Milliseconds; 0: versions are served as soon as they are there. */
  readonly minAge: number
  /** Versions to which `minAge` does not apply. */
  readonly exempt: readonly VersionPattern[]
  readonly deny: readonly Denial[]
}

export interface VersionPattern {
  readonly matches: (name: string, vers: string) => boolean
}

export interface Denial extends VersionPattern {
  readonly reason: string
}

/** Makes a test for crate names of globs; names are to match in every spelling. */
export type GlobMatcher = (globs: readonly string[]) => (crate: string) => boolean

/** A version as an uplink serves it. */
export interface UpstreamVersion {
  readonly entry: IndexEntry
  /** When it was first seen, as an ISO time; counts where the entry has no `pubtime`. */
  readonly firstSeen: string
}

export interface UpstreamLine extends UpstreamVersion {
  /** The raw text without its newline. */
  readonly line: string
}

/** What is served of a file. */
export interface RuledLines<L extends UpstreamLine> {
  /** The very array that was given when no rule applied: then the file's own bytes are to be served. */
  readonly lines: readonly L[]
  /** When the next version comes of age: until then the same input has the same result, as long as the clock does not go back. */
  readonly until: Date | undefined
}

export type VersionVerdict =
  | { readonly verdict: 'served' }
  /** Served as yanked until an ISO time, and to be downloaded as any yanked version. */
  | { readonly verdict: 'young'; readonly reason: string; readonly until: string }
  | { readonly verdict: 'denied'; readonly reason: string }

const PATTERN = /^([^@\s:]+)(?:@([^:]+))?$/
const DENIAL = /^([^@\s:]+(?:@[^:]+)?)(?::\s*(\S[\s\S]*))?$/
/** `1`, `1.2`, `1.2.3-rc.1`: a version, or the start of one. */
const BARE = /^\d+(?:\.\d+)?(?:\.\d+(?:[-+].*)?)?$/
/** The last moment that a `Date` can hold. */
const END_OF_TIME = 8.64e15

/**
 * Reads `name`, which means every version, or `name@requirement`; the name may be a glob. Requirements are Rust's, so they
 * match pre-releases only where they name one. But, as in cargo's package IDs, a bare version is that version, whatever
 * its build metadata (`serde@1.0.5`), or all that start with it (`serde@1.0` is `serde@=1.0`), and `*` is every version.
 * @throws {CargoError} `invalid_requirement` naming the value
 */
export function parseVersionPattern(text: string, glob: GlobMatcher): VersionPattern {
  const match = PATTERN.exec(text)
  if (match === null) throw invalidPattern(text, '`name` or `name@requirement`')
  const [, name = '', req] = match
  const matchesName = remember(glob([name]))
  const matchesVersion = req === undefined ? () => true : versionTest(req)
  return { matches: (crate, vers) => matchesName(crate) && matchesVersion(vers) }
}

/**
 * Reads a pattern with what clients are told: `name@requirement: reason`; without a reason, that the pattern is denied.
 * @throws {CargoError} `invalid_requirement` naming the value
 */
export function parseDenial(text: string, glob: GlobMatcher): Denial {
  const match = DENIAL.exec(text)
  if (match === null) throw invalidPattern(text, '`name@requirement: reason`')
  const [, pattern = '', reason] = match
  return {
    ...parseVersionPattern(pattern, glob),
    reason: reason?.trim() ?? `${quote(pattern.trim())} is denied by this registry`,
  }
}

/**
 * The lines that are served, in the order given: those of denied versions are left out, those of young ones that are not
 * exempt say `"yanked":true`, and all others are as they were. No other edit is ever made to what an uplink serves.
 */
export function applyVersionRules<L extends UpstreamLine>(
  lines: readonly L[],
  rules: VersionRules,
  now: Date,
): RuledLines<L> {
  if (rules.minAge <= 0 && rules.deny.length === 0) return { lines, until: undefined }
  const served: L[] = []
  let isEdited = false
  let until = Number.POSITIVE_INFINITY
  for (const line of lines) {
    const judged = judgeVersion(rules, line, now)
    if (judged.verdict === 'served') served.push(line)
    else isEdited = true
    if (judged.verdict !== 'young') continue
    served.push({ ...line, line: yankLine(line.line), entry: yanked(line.entry) })
    until = Math.min(until, Date.parse(judged.until))
  }
  return isEdited
    ? { lines: served, until: Number.isFinite(until) ? new Date(until) : undefined }
    : { lines, until: undefined }
}

/** Some fields of an entry may be read from its line only when they are asked for: `...` would lose them. */
function yanked({ deps, features, features2, ...rest }: IndexEntry): IndexEntry {
  return { ...rest, deps, features, ...(features2 !== undefined && { features2 }), yanked: true }
}

/** What the rules say of one version; one that its owners yanked is served as it is, young or not. */
export function judgeVersion(rules: VersionRules, version: UpstreamVersion, now: Date): VersionVerdict {
  const { name, vers, yanked, pubtime } = version.entry
  const denial = rules.deny.find((one) => one.matches(name, vers))
  if (denial !== undefined) return { verdict: 'denied', reason: denial.reason }
  const until = Math.min(bornAt(version, now) + rules.minAge, END_OF_TIME)
  if (rules.minAge <= 0 || yanked || now.getTime() >= until) return { verdict: 'served' }
  if (rules.exempt.some((one) => one.matches(name, vers))) return { verdict: 'served' }
  return {
    verdict: 'young',
    reason: pubtime === undefined ? `first seen ${version.firstSeen}` : `published ${pubtime}`,
    until: new Date(until).toISOString(),
  }
}

/** A time that cannot be read counts as now, so that what is unknown is not taken for old. */
function bornAt({ entry, firstSeen }: UpstreamVersion, now: Date): number {
  const time = Date.parse(entry.pubtime ?? firstSeen)
  return Number.isNaN(time) ? now.getTime() : time
}

function versionTest(req: string): VersionTest {
  const text = validateRequirement(req.trim())
  const requirement = normalizeRequirement(BARE.test(text) ? `=${text}` : text)
  return requirement === '*' ? () => true : (requirementTest(requirement) ?? (() => false))
}

/** The answer for the same name again: a file's lines all have one. */
function remember(test: (crate: string) => boolean): (crate: string) => boolean {
  let last: string | undefined
  let answer = false
  return (crate) => {
    if (crate !== last) {
      answer = test(crate)
      last = crate
    }
    return answer
  }
}

function invalidPattern(text: string, wanted: string): CargoError {
  return new CargoError('invalid_requirement', `invalid version pattern ${quote(text)}: must be ${wanted}`)
}
