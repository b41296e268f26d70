import { setTimeout as sleep } from 'node:timers/promises'
import { CargoError } from '../errors.ts'
import { unknownVersion } from '../protocol/decide.ts'
import type { LockedPackage } from '../protocol/lock-file.ts'
import { type CrateName, validateName } from '../protocol/name.ts'
import { type CrateRecord, findVersion } from '../protocol/record.ts'
import { quote } from '../protocol/text.ts'
import { type Version, validateVersion } from '../protocol/version.ts'
import { UplinkError } from '../uplinks/uplink-error.ts'
import type { KeptCrate } from './upstream/upstream.ts'
import type { Workbench } from './workbench.ts'

/** Packages that are looked after at a time; a running server finds the uplink's connections free. */
const PARALLEL = 16
/** So often a package is tried while its uplink fails. */
const ROUNDS = 3
/** Seconds between the rounds, unless the uplink asks for more, and the most that is done for it. */
const PAUSE_S = 1
const MAX_PAUSE_S = 60

export interface MissingPackage extends LockedPackage {
  readonly reason: string
}

/** What became of packages. */
export interface WarmReport {
  readonly fetched: number
  /** The bytes of the `.crate` files that were fetched. */
  readonly bytes: number
  readonly present: number
  /** In the order of the lock file. */
  readonly missing: readonly MissingPackage[]
  /** Those that were not looked at, since there was an order to stop. */
  readonly left: number
}

export interface WarmControl {
  /** Aborted: what runs is finished, and nothing new begins. */
  readonly signal: AbortSignal
  /** Told of every package when it is settled, with the bytes that were fetched; must not throw. */
  onSettled(bytes: number): void
}

type Parts = Pick<Workbench, 'log' | 'blobs' | 'rules' | 'upstream'>
type Outcome = KeptCrate | { readonly missing: string; readonly retryAfter?: number }

/**
 * Brings the index files and `.crate` files of packages into the store as a server would, had it been asked for them.
 * @throws {CargoError} `storage_full`: then the others would fail as well
 */
export async function warmPackages(
  parts: Parts,
  packages: readonly LockedPackage[],
  { signal, onSettled }: WarmControl,
): Promise<WarmReport> {
  const outcomes = new Map<LockedPackage, Outcome>()
  let todo = packages
  for (let round = 1; todo.length > 0; round++) {
    const again: LockedPackage[] = []
    let pause = PAUSE_S
    await inParallel(todo, signal, async (one) => {
      const outcome = await bring(parts, one)
      outcomes.set(one, outcome)
      if ('missing' in outcome && outcome.retryAfter !== undefined && round < ROUNDS) {
        pause = Math.max(pause, outcome.retryAfter)
        again.push(one)
      } else {
        onSettled('missing' in outcome || !outcome.fetched ? 0 : outcome.size)
      }
    })
    if (again.length > 0) await waitFor(Math.min(pause, MAX_PAUSE_S), signal)
    todo = signal.aborted ? [] : again
  }
  return reportOf(packages, outcomes)
}

function reportOf(
  packages: readonly LockedPackage[],
  outcomes: ReadonlyMap<LockedPackage, Outcome>,
): WarmReport {
  const missing: MissingPackage[] = []
  const count = { fetched: 0, bytes: 0, present: 0 }
  for (const [one, outcome] of outcomes) {
    if ('missing' in outcome) missing.push({ ...one, reason: outcome.missing })
    else if (outcome.fetched) {
      count.fetched += 1
      count.bytes += outcome.size
    } else count.present += 1
  }
  const place = new Map(packages.map(({ name, version }, at) => [`${name}@${version}`, at]))
  const placeOf = ({ name, version }: LockedPackage) => place.get(`${name}@${version}`) ?? 0
  missing.sort((a, b) => placeOf(a) - placeOf(b))
  return { ...count, missing, left: packages.length - outcomes.size }
}

/** That a package cannot be had is an outcome, with the reason. */
async function bring(parts: Parts, one: LockedPackage): Promise<Outcome> {
  try {
    const [name, version] = [validateName(one.name), validateVersion(one.version)]
    const { record } = await parts.log.read(name)
    return record === undefined
      ? await bringProxied(parts, one, name, version)
      : await findLocal(parts, one, record, name, version)
  } catch (error) {
    if (!(error instanceof CargoError) || error.code === 'storage_full') throw error
    const canPass = error instanceof UplinkError && ['away', 'cut', 'limited'].includes(error.fault)
    return { missing: error.message, ...(canPass && { retryAfter: error.retryAfter ?? 0 }) }
  }
}

async function bringProxied(
  { upstream, rules }: Parts,
  one: LockedPackage,
  name: CrateName,
  version: Version,
): Promise<Outcome> {
  if (upstream.proxied.uplinksOf(name).length === 0) {
    const glob = rules.ruleFor(name)?.glob
    const why = glob === undefined ? 'no rule applies to it' : `rule \`${glob}\` asks no uplink for it`
    return { missing: `crate \`${name}\` was not published here, and ${why}` }
  }
  const found = await upstream.proxied.findVersion(name, version)
  if (found === undefined) return { missing: await unknownReason({ upstream }, name, version) }
  const conflict = checksumConflict(one, found.entry.cksum)
  if (conflict !== undefined) return { missing: conflict }
  const judged = upstream.policy.judge(found.crate, version)
  return judged.verdict === 'denied' ? { missing: `denied: ${judged.reason}` } : upstream.keep(found)
}

async function unknownReason(
  { upstream }: Pick<Parts, 'upstream'>,
  name: string,
  version: string,
): Promise<string> {
  const crate = await upstream.proxied.find(name)
  if (crate === undefined) {
    const uplinks = upstream.proxied.uplinksOf(name).map((uplink) => `uplink \`${uplink.name}\``)
    return `there is no crate \`${name}\` at ${uplinks.join(' or ')}`
  }
  const spelling = crate.entries[0]?.name
  const called = spelling === name ? '' : `, where it is called \`${spelling}\``
  const problem = crate.problem === undefined ? '' : `; its index file was not renewed: ${crate.problem}`
  return `there is no version \`${version}\` at uplink \`${crate.uplink.name}\`${called}${problem}`
}

async function findLocal(
  { blobs }: Parts,
  one: LockedPackage,
  record: CrateRecord,
  name: CrateName,
  version: Version,
): Promise<Outcome> {
  const entry = record.name === name ? findVersion(record, version)?.entry : undefined
  if (entry?.vers !== version) throw unknownVersion(name, version)
  const conflict = checksumConflict(one, entry.cksum)
  if (conflict !== undefined) return { missing: conflict }
  const file = await blobs.stat(entry.cksum)
  return file === undefined
    ? { missing: 'it was published here, and its file is missing in storage' }
    : { size: file.size, fetched: false }
}

function checksumConflict({ checksum }: LockedPackage, cksum: string): string | undefined {
  if (checksum === undefined || checksum.toLowerCase() === cksum) return undefined
  return `it has checksum ${quote(checksum)} in the lock file, and \`${cksum}\` in the index`
}

async function inParallel<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values()
  let failed = false
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (const item of waiting) {
        if (failed || signal.aborted) return
        try {
          await work(item)
        } catch (error) {
          failed = true
          throw error
        }
      }
    }),
  )
}

async function waitFor(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(1000 * seconds, undefined, { signal }).catch(() => {})
}
