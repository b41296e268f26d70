import { CargoError } from '../../errors.ts'
import { crateMatcher } from '../../name-glob.ts'
import { type Options, OptionsError, type PackageRule } from '../../options.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import type { UpstreamCopy } from '../../protocol/upstream-copy.ts'
import {
  applyVersionRules,
  judgeVersion,
  parseDenial,
  parseVersionPattern,
  type UpstreamLine,
  type UpstreamVersion,
  type VersionRules,
  type VersionVerdict,
} from '../../protocol/version-rules.ts'
import { etagOf, type Freshness, type IndexFile } from '../index-file.ts'
import type { PackageRules } from '../package-rules.ts'
import { type ProxiedCrate, publishedName } from './proxied.ts'

/** What the rules leave of the crates of uplinks. */
export interface VersionPolicy {
  /**
   * The index file as it is served: the uplink's own bytes, unless a rule edits them.
   * @throws {CargoError} `forbidden` with the reason, when every version is denied
   */
  indexFile(crate: ProxiedCrate): IndexFile
  /** The entries of that file. */
  entries(crate: ProxiedCrate): readonly IndexEntry[]
  judge(crate: ProxiedCrate, version: string): VersionVerdict
  /** Whether the rules deny a version, whatever else is known of it. */
  denies(name: string, version: string): boolean
}

interface Served {
  readonly file: Pick<IndexFile, 'body' | 'packed' | 'etag' | 'modified'>
  readonly entries: readonly IndexEntry[]
  /** Milliseconds since 1970. */
  readonly until: number
}

/** @throws {OptionsError} naming the rule whose `deny` or `min_age_except` cannot be read */
export function createVersionPolicy(options: Options, rules: PackageRules, now: () => Date): VersionPolicy {
  const compiled = new Map(
    Object.entries(options.packages).map(([glob, rule]) => [glob, compile(glob, rule)] as const),
  )
  const served = new WeakMap<UpstreamCopy, Served>()
  /** What was said last: the same for a second, so that what is made of it is made once. */
  const last = new WeakMap<Served, IndexFile & { readonly freshness: Freshness }>()
  const rulesFor = (name: string) => compiled.get(rules.ruleFor(name)?.glob ?? '') ?? NO_RULES

  function render(crate: ProxiedCrate): Served {
    const at = now()
    const ruled = rulesFor(publishedName(crate))
    if (ruled === NO_RULES) return whole(crate)
    const lines = linesOf(crate)
    const result = applyVersionRules(lines, ruled, at)
    if (result.lines === lines) return whole(crate)
    if (result.lines.length === 0) throw denied(ruled, versionOf(crate, crate.entries.length - 1), at)
    const body = Buffer.from(result.lines.map(({ line }) => `${line}\n`).join(''))
    const entries = result.lines.map(({ entry }) => entry)
    const until = result.until?.getTime() ?? Number.POSITIVE_INFINITY
    return { file: { body, etag: etagOf(body), modified: modifiedAt(crate.copy) }, entries, until }
  }

  function fileOf(crate: ProxiedCrate): Served {
    const known = served.get(crate.copy)
    if (known !== undefined && known.until > now().getTime()) return known
    const file = render(crate)
    served.set(crate.copy, file)
    return file
  }

  return {
    indexFile(crate) {
      const served = fileOf(crate)
      const known = last.get(served)
      if (known !== undefined && isAsFresh(known, crate)) return known
      const { age, stale, asked, cold, uplink } = crate
      const freshness = { age, maxAge: uplink.options.maxage, asked, cold: cold === true }
      const file = { ...served.file, stale, freshness }
      last.set(served, file)
      return file
    },
    entries: (crate) => fileOf(crate).entries,
    judge(crate, version) {
      const position = crate.entries.findIndex(({ vers }) => vers === version)
      return judgeVersion(rulesFor(publishedName(crate)), versionOf(crate, position), now())
    },
    denies: (name, version) => rulesFor(name).deny.some((one) => one.matches(name, version)),
  }
}

/** Whether a file tells the same of its copy as of a crate, to the second. */
function isAsFresh(
  { stale, freshness }: IndexFile & { readonly freshness: Freshness },
  crate: ProxiedCrate,
): boolean {
  return (
    stale === crate.stale &&
    freshness.asked === crate.asked &&
    freshness.cold === (crate.cold === true) &&
    freshness.maxAge === crate.uplink.options.maxage &&
    Math.floor(freshness.age / 1000) === Math.floor(crate.age / 1000)
  )
}

const NO_RULES: VersionRules = { minAge: 0, exempt: [], deny: [] }

function compile(glob: string, rule: PackageRule): VersionRules {
  const { min_age: minAge, min_age_except: exempt = [], deny = [] } = rule
  const rules = {
    minAge,
    exempt: exempt.map((text) =>
      readable(`packages.${glob}.min_age_except`, () => parseVersionPattern(text, crateMatcher)),
    ),
    deny: deny.map((text) => readable(`packages.${glob}.deny`, () => parseDenial(text, crateMatcher))),
  }
  return minAge === 0 && deny.length === 0 ? NO_RULES : rules
}

function readable<T>(key: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new OptionsError([`\`${key}\`: ${error instanceof Error ? error.message : String(error)}`])
  }
}

function whole({ copy, entries }: ProxiedCrate): Served {
  const { body, packed } = copy
  const file = {
    body,
    ...(packed !== undefined && { packed }),
    etag: etagOf(body),
    modified: modifiedAt(copy),
  }
  return { file, entries, until: Number.POSITIVE_INFINITY }
}

/** An uplink may write anything for a date. */
function modifiedAt({ lastModified = '', fetchedAt }: UpstreamCopy): Date {
  const time = Date.parse(lastModified)
  return new Date(Number.isNaN(time) ? fetchedAt : time)
}

/** Blank lines are in no array of entries. */
function linesOf(crate: ProxiedCrate): readonly UpstreamLine[] {
  const texts = crate.copy.body
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
  return texts.map((line, position) => ({ line, ...versionOf(crate, position) }))
}

function versionOf({ entries, copy }: ProxiedCrate, position: number): UpstreamVersion {
  const entry = entries[position]
  if (entry === undefined) throw new CargoError('internal', 'an index copy lacks a line')
  return { entry, firstSeen: copy.firstSeen[entry.vers] ?? copy.fetchedAt }
}

function denied(ruled: VersionRules, version: UpstreamVersion, at: Date): CargoError {
  const verdict = judgeVersion(ruled, version, at)
  const reason = verdict.verdict === 'denied' ? verdict.reason : 'its versions are denied by this registry'
  return new CargoError('forbidden', `crate \`${version.entry.name}\` is not served: ${reason}`)
}
