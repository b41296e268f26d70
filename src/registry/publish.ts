import { CargoError } from '../errors.ts'
import type { Principal } from '../host.ts'
import type { Options } from '../options.ts'
import { checkAgreement } from '../protocol/agreement.ts'
import { type PublishResponse, renderPublished } from '../protocol/api.ts'
import type { ChangeStamp } from '../protocol/change.ts'
import { decidePublish, mustBeNew } from '../protocol/decide.ts'
import type { IndexEntry } from '../protocol/index-entry.ts'
import { type PublishMetadata, parseMetadata } from '../protocol/metadata.ts'
import { type CrateName, validateName } from '../protocol/name.ts'
import { checkPolicy } from '../protocol/policy.ts'
import { parseLength } from '../protocol/publish-body.ts'
import type { CrateRecord } from '../protocol/record.ts'
import { type Version, validateVersion } from '../protocol/version.ts'
import type { Access, Caller } from './access.ts'
import type { Blobs } from './blobs.ts'
import { createBodyReader } from './body-reader.ts'
import { type InspectedCrate, inspectCrate, isThisRegistry } from './crate-inspection.ts'
import type { CrateLog } from './crate-log.ts'
import { checkOwnDependencies, type OwnDependenciesDeps } from './own-dependencies.ts'
import { createSpool, type Spool } from './spool.ts'
import { createTurns, type Turns } from './turns.ts'

const LENGTH_BYTES = 4

/** Each needs half a MiB of memory at most, or a temporary file of the crate's size. */
const UPLOADS = { parallel: 128, parallelPerKey: 64, waiting: 2_000, maxWaitMs: 20_000, what: 'publishes' }
/** Those that wait are uploads already. */
const INSPECTIONS = { waiting: UPLOADS.parallel, maxWaitMs: 60_000, what: 'publishes' }

export interface PublishRequest {
  /** `Content-Length` in bytes; like the body of no interest before the caller is known to have the right to publish. */
  length(): number
  /** Starts the body. */
  body(): AsyncIterable<Uint8Array>
}

export interface PublishDeps extends Pick<OwnDependenciesDeps, 'isProxied'> {
  readonly options: Options
  readonly access: Access
  readonly log: CrateLog
  readonly blobs: Blobs
  readonly stamp: (caller: Caller, principal: Principal) => ChangeStamp
  readonly now: () => Date
  /** Crate files that are unpacked and looked at. */
  readonly inspections: Turns
  /** Judges a name that is published for the first time; returns warnings. */
  checkShadow(name: string): Promise<readonly string[]>
}

export interface Published {
  readonly entry: IndexEntry
  readonly size: number
  readonly response: PublishResponse
}

/** A crate that passed every check, ready to be stored. */
interface CheckedCrate extends Omit<InspectedCrate, 'manifest'> {
  readonly warnings: readonly string[]
}

/** Publishes crates, so many at a time. */
export type Publisher = (caller: Caller, request: PublishRequest) => Promise<Published>

/**
 * Publishes a crate: the blob first, then the change that names it, then the answer. Who has to wait for a turn is not
 * read from meanwhile.
 * @throws {CargoError} for a caller without the right, a body that breaks a rule, a version that exists, or when too
 * many publish
 */
export function createPublisher(deps: Omit<PublishDeps, 'inspections'>): Publisher {
  const { publishes } = deps.options.limits
  const uploads = createTurns(UPLOADS)
  const inspections = createTurns({ ...INSPECTIONS, parallel: publishes })
  return async (caller, request) => {
    const principal = await deps.access.mustWrite(caller, 'publish')
    const length = request.length()
    const publish = () => takeIn({ ...deps, inspections }, caller, principal, length, request.body())
    return uploads.run(publish, principal.name)
  }
}

async function takeIn(
  deps: PublishDeps,
  caller: Caller,
  principal: Principal,
  length: number,
  body: AsyncIterable<Uint8Array>,
): Promise<Published> {
  const { access, log, options } = deps
  const reader = createBodyReader(body[Symbol.asyncIterator]())
  const { limits } = options
  const metadataSize = parseLength(
    await reader.take(LENGTH_BYTES, 'the metadata length'),
    limits.metadata,
    'metadata',
  )
  const metadata = parseMetadata(await reader.take(metadataSize, 'the metadata'))
  const { name, vers } = { name: validateName(metadata.name), vers: validateVersion(metadata.vers) }

  await access.mustWrite(caller, 'publish', name)
  const claimant = await access.claimant(caller, principal, name)
  const { record: present } = await log.read(name)
  mustBeNew(present, name, vers, claimant)
  const doubts = present === undefined ? await deps.checkShadow(name) : []

  const crateSize = parseLength(
    await reader.take(LENGTH_BYTES, 'the crate length'),
    limits.crate,
    'crate file',
  )
  mustFit(length, 2 * LENGTH_BYTES + metadataSize + crateSize)
  const spool = await createSpool(reader.last(crateSize, 'the crate file'))
  try {
    const checked = await checkCrate(deps, caller, { metadata, name, vers }, spool)
    const storing = deps.blobs.put(spool.sha256, spool.content())
    const decide = (record: CrateRecord | undefined) =>
      decidePublish(record, checked, claimant, deps.stamp(caller, principal))
    await both(storing, log.append(name, decide, storing))
    // A garbage collector that began before the change was there may have taken an old blob for unreferenced.
    if ((await deps.blobs.stat(spool.sha256)) === undefined)
      await deps.blobs.put(spool.sha256, spool.content())
    return {
      entry: checked.entry,
      size: spool.size,
      response: renderPublished([...doubts, ...checked.warnings]),
    }
  } finally {
    await spool.dispose()
  }
}

/** The change is made ready while the blob is stored, and is there after it: the bytes are not given back before. */
async function both(storing: Promise<void>, change: Promise<unknown>): Promise<void> {
  await Promise.allSettled([storing, change])
  await Promise.all([storing, change])
}

async function checkCrate(
  deps: PublishDeps,
  caller: Caller,
  {
    metadata,
    name,
    vers,
  }: { readonly metadata: PublishMetadata; readonly name: CrateName; readonly vers: Version },
  spool: Spool,
): Promise<CheckedCrate> {
  const { options, now } = deps
  const { manifest, ...inspected } = await deps.inspections.run(() =>
    inspectCrate(options, caller.via, { name, vers }, spool, now()),
  )
  checkAgreement(metadata, manifest, isThisRegistry(options, caller.via))
  const warnings = [
    ...checkPolicy(metadata, manifest),
    ...(await checkOwnDependencies(deps, caller, inspected.entry)),
  ]
  if (options.rules === 'crates_io' && warnings.length > 0)
    throw new CargoError('policy', warnings.join('; '))
  return { ...inspected, warnings }
}

function mustFit(length: number, wanted: number): void {
  if (length === wanted) return
  throw new CargoError(
    'invalid_body',
    `invalid publish body: its parts add up to ${wanted} bytes, \`content-length\` is \`${length}\``,
  )
}
