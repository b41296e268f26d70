import { CargoError } from '../errors.ts'
import type { Principal } from '../host.ts'
import type { Options } from '../options.ts'
import { checkAgreement } from '../protocol/agreement.ts'
import type { PublishResponse } from '../protocol/api.ts'
import type { ChangeStamp, VersionDetails } from '../protocol/change.ts'
import { decidePublish, mustBeNew } from '../protocol/decide.ts'
import { entryFromManifest, type IndexEntry, pubtime } from '../protocol/index-entry.ts'
import { checkIntegrity } from '../protocol/integrity.ts'
import { type Manifest, parseManifest } from '../protocol/manifest.ts'
import { type PublishMetadata, parseMetadata } from '../protocol/metadata.ts'
import { type CrateName, validateName } from '../protocol/name.ts'
import { checkPolicy } from '../protocol/policy.ts'
import { parseLength } from '../protocol/publish-body.ts'
import { CRATES_IO_INDEX, dependencyRegistry, sameRegistry } from '../protocol/registry-url.ts'
import { inspectTarball } from '../protocol/tarball.ts'
import { type Version, validateVersion } from '../protocol/version.ts'
import type { Access, Caller } from './access.ts'
import type { Blobs } from './blobs.ts'
import { createBodyReader } from './body-reader.ts'
import type { CrateLog } from './crate-log.ts'
import { createSpool, type Spool } from './spool.ts'

const LENGTH_BYTES = 4

export interface PublishRequest {
  /** `Content-Length` in bytes. */
  readonly length: number
  /** Starts the body: called only once the caller is known to have the right to publish. */
  body(): AsyncIterable<Uint8Array>
}

export interface PublishDeps {
  readonly options: Options
  readonly access: Access
  readonly log: CrateLog
  readonly blobs: Blobs
  readonly stamp: (caller: Caller, principal: Principal) => ChangeStamp
  readonly now: () => Date
}

export interface Published {
  readonly entry: IndexEntry
  readonly size: number
  readonly response: PublishResponse
}

/** A crate that passed every check, ready to be stored. */
interface CheckedCrate {
  readonly entry: IndexEntry
  readonly details: VersionDetails
  readonly warnings: readonly string[]
}

/**
 * Publishes a crate: the blob first, then the change that names it, then the answer.
 * @throws {CargoError} for a caller without the right, a body that breaks a rule, or a version that exists
 */
export async function publishCrate(
  deps: PublishDeps,
  caller: Caller,
  request: PublishRequest,
): Promise<Published> {
  const { access, log, options } = deps
  const principal = await access.mustWrite(caller, 'publish')
  const reader = createBodyReader(request.body()[Symbol.asyncIterator]())
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
  mustBeNew((await log.read(name)).record, name, vers, claimant)

  const crateSize = parseLength(
    await reader.take(LENGTH_BYTES, 'the crate length'),
    limits.crate,
    'crate file',
  )
  mustFit(request.length, 2 * LENGTH_BYTES + metadataSize + crateSize)
  const spool = await createSpool(reader.last(crateSize, 'the crate file'))
  try {
    const checked = await checkCrate(deps, caller, { metadata, name, vers }, spool)
    await deps.blobs.put(spool.sha256, spool.stream())
    await log.append(name, (record) =>
      decidePublish(record, checked, claimant, deps.stamp(caller, principal)),
    )
    // A garbage collector that began before the change was there may have taken an old blob for unreferenced.
    if ((await deps.blobs.stat(spool.sha256)) === undefined)
      await deps.blobs.put(spool.sha256, spool.stream())
    return { entry: checked.entry, size: spool.size, response: publishResponse(checked.warnings) }
  } finally {
    await spool.dispose()
  }
}

async function checkCrate(
  { options, now }: PublishDeps,
  caller: Caller,
  {
    metadata,
    name,
    vers,
  }: { readonly metadata: PublishMetadata; readonly name: CrateName; readonly vers: Version },
  spool: Spool,
): Promise<CheckedCrate> {
  const { limits } = options
  const { manifest: toml } = await inspectTarball(spool.stream(), {
    name,
    version: vers,
    maxUnpacked: limits.unpacked,
    maxEntries: limits.entries,
  })
  const manifest = parseManifest(toml)
  const isThisRegistry = (url: string) =>
    [caller.via, ...options.aliases].some((base) => isIndexOf(url, base))
  checkAgreement(metadata, manifest, isThisRegistry)
  const deps = manifest.deps.map((dep) => ({ ...dep, registry: dependencyRegistry(dep, isThisRegistry) }))
  const entry = entryFromManifest({ ...manifest, deps }, { cksum: spool.sha256, pubtime: pubtime(now()) })
  checkIntegrity(manifest, entry, { registries: (url) => isAllowed(options, url) })
  const complaints = checkPolicy(metadata, manifest)
  if (options.rules === 'crates_io' && complaints.length > 0)
    throw new CargoError('policy', complaints.join('; '))
  return { entry, details: versionDetails(manifest, spool.size), warnings: complaints }
}

function isIndexOf(url: string, base: string): boolean {
  return sameRegistry(url, `sparse+${base}/`) || sameRegistry(url, `sparse+${base}/index/`)
}

function isAllowed(options: Options, url: string): boolean {
  return [CRATES_IO_INDEX, ...options.registries].some((allowed) => sameRegistry(url, allowed))
}

function mustFit(length: number, wanted: number): void {
  if (length === wanted) return
  throw new CargoError(
    'invalid_body',
    `invalid publish body: its parts add up to ${wanted} bytes, \`content-length\` is \`${length}\``,
  )
}

function publishResponse(other: readonly string[]): PublishResponse {
  return { warnings: { invalid_categories: [], invalid_badges: [], other: [...other] } }
}

/** What people read about a version; everything from the manifest, which is what was published. */
export function versionDetails(manifest: Manifest, size: number): VersionDetails {
  const { description, documentation, homepage, repository, license, edition } = manifest
  return {
    size,
    description,
    documentation,
    homepage,
    repository,
    license,
    license_file: manifest.licenseFile,
    readme_file: manifest.readme,
    edition,
    keywords: manifest.keywords,
    categories: manifest.categories,
    authors: manifest.authors,
  }
}
