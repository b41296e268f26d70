import { CargoError } from '../../errors.ts'
import type { PackageRule } from '../../options.ts'
import type { IndexEntry } from '../../protocol/index-entry.ts'
import { entriesInParts, readEntries } from '../../protocol/upstream-copy.ts'
import type { Uplink } from '../../uplinks/uplink.ts'
import { UplinkError } from '../../uplinks/uplink-error.ts'
import { inTurns } from '../in-turns.ts'
import type { PackageRules } from '../package-rules.ts'
import type { KnownCopy } from './known-copy.ts'
import type { UpstreamIndex } from './upstream-index.ts'

/** A version that is not known is looked for at the uplink, when the copy is older than this many milliseconds. */
const LOOK_AGAIN_MS = 1_000

/** A crate of an uplink. */
export interface ProxiedCrate extends KnownCopy {
  readonly uplink: Uplink
  readonly entries: readonly IndexEntry[]
}

/**
 * Finds crates at the uplinks that the rules give for their names, in order. Whoever asks has made sure that the name
 * is not local: a name is local or upstream, never both.
 */
export interface Proxied {
  /** The uplinks that may be asked for a name. */
  uplinksOf(name: string): readonly Uplink[]
  /**
   * The crate, from the first uplink that has it; `undefined` when every one of them said no. When one cannot say, what
   * is kept of a later one was served before and is served still.
   * @throws {CargoError} when one cannot say and nothing is kept: the next one's crate may be somebody else's
   */
  find(name: string, maxAge?: number): Promise<ProxiedCrate | undefined>
  /** What {@link Proxied.find} would say at once, of copies in memory; `undefined` when it would have to look. */
  ready(name: string): ProxiedCrate | 'absent' | undefined
  /** The same of {@link Proxied.findVersion}, for a version that is known. */
  readyVersion(name: string, version: string): ProxiedVersion | undefined
  /** As far as is kept, without asking anybody. */
  peek(name: string): Promise<ProxiedCrate | undefined>
  /**
   * The index entry of a version, looked for once more at the uplink when it is not known yet.
   * @throws {CargoError} as {@link Proxied.find}, also when the uplink that has the crate cannot say
   */
  findVersion(name: string, version: string): Promise<ProxiedVersion | undefined>
}

export interface ProxiedVersion {
  readonly crate: ProxiedCrate
  readonly entry: IndexEntry
}

export interface ProxiedDeps {
  readonly uplinks: ReadonlyMap<string, Uplink>
  readonly rules: PackageRules
  readonly index: UpstreamIndex
  /** Whether anything is kept of an uplink. */
  hasCopies(uplink: string): Promise<boolean>
}

export function createProxied({ uplinks, rules, index, hasCopies }: ProxiedDeps): Proxied {
  const byRule = new Map<PackageRule | undefined, readonly Uplink[]>(
    rules.all.map(({ rule }) => [rule, (rule.proxy ?? []).flatMap((key) => uplinks.get(key) ?? [])] as const),
  )
  const uplinksOf = (name: string) => byRule.get(rules.ruleFor(name)?.rule) ?? []

  async function first(
    name: string,
    uplinks: readonly Uplink[],
    look: (uplink: Uplink) => Promise<KnownCopy | undefined>,
  ): Promise<ProxiedCrate | undefined> {
    for (const [position, uplink] of uplinks.entries()) {
      const known = await look(uplink).catch(async (error) => {
        const kept = await peek(name, uplinks.slice(position + 1))
        if (kept === undefined && !(await isUnmet(uplink, error))) throw error
        return kept
      })
      if (known === undefined) continue
      const entries = await inTurns(entriesInParts(name, known.copy.body))
      return { uplink, entries, ...known }
    }
    return undefined
  }

  /** An optional uplink that nobody has ever reached: this registry does without. */
  const isUnmet = async ({ name, options, state }: Uplink, error: unknown): Promise<boolean> =>
    options.optional &&
    error instanceof UplinkError &&
    error.fault === 'away' &&
    !state().answered &&
    !(await hasCopies(name))

  const find = (name: string, maxAge?: number) =>
    first(name, uplinksOf(name), (uplink) => index.read(uplink, name, maxAge))
  const peek = (name: string, uplinks: readonly Uplink[]): Promise<ProxiedCrate | undefined> =>
    first(name, uplinks, (uplink) => index.peek(uplink, name))

  function ready(name: string): ProxiedCrate | 'absent' | undefined {
    for (const uplink of uplinksOf(name)) {
      const known = index.ready(uplink, name)
      if (known === 'absent') continue
      const entries = known && readEntries(known.copy.body)
      return entries && { uplink, entries, ...known }
    }
    return 'absent'
  }

  return {
    uplinksOf,
    find,
    ready,
    readyVersion(name, version) {
      const crate = ready(name)
      return crate === undefined || crate === 'absent' ? undefined : ofItsName(crate, name, version)
    },
    peek: (name) => peek(name, uplinksOf(name)),
    async findVersion(name, version) {
      const crate = await find(name)
      if (crate === undefined || versionIn(crate, version) || crate.age <= LOOK_AGAIN_MS)
        return crate && ofItsName(crate, name, version)
      const renewed = await find(name, 0)
      if (renewed !== undefined && !versionIn(renewed, version) && renewed.age > LOOK_AGAIN_MS)
        throw unsure(renewed, name, version)
      return renewed && ofItsName(renewed, name, version)
    },
  }
}

function versionIn({ entries }: ProxiedCrate, version: string): IndexEntry | undefined {
  return entries.find(({ vers }) => vers === version)
}

/** Only the published spelling of a name has files. */
function ofItsName(crate: ProxiedCrate, name: string, version: string): ProxiedVersion | undefined {
  const entry = versionIn(crate, version)
  return entry?.name === name ? { crate, entry } : undefined
}

function unsure({ uplink, problem }: ProxiedCrate, name: string, version: string): CargoError {
  const why = problem ?? `uplink \`${uplink.name}\` does not answer in time`
  return new CargoError('unavailable', `whether there is a \`${name}@${version}\` is not known: ${why}`)
}

/** What a crate is called by whoever has it. */
export function publishedName({ entries }: ProxiedCrate): string {
  const name = entries[0]?.name
  if (name === undefined) throw new CargoError('internal', 'an index copy without lines')
  return name
}
