import type { Options } from '../options.ts'
import type { VersionDetails } from '../protocol/change.ts'
import type { Publication } from '../protocol/decide.ts'
import { entryFromManifest, pubtime } from '../protocol/index-entry.ts'
import { checkIntegrity } from '../protocol/integrity.ts'
import { type Manifest, parseManifest } from '../protocol/manifest.ts'
import type { CrateName } from '../protocol/name.ts'
import { CRATES_IO_INDEX, dependencyRegistry, sameRegistry } from '../protocol/registry-url.ts'
import { inspectTarball, type Tarball } from '../protocol/tarball.ts'
import { targetsOf } from '../protocol/targets.ts'
import type { Version } from '../protocol/version.ts'
import type { Spool } from './spool.ts'

/** A crate whose tarball and manifest are sound. */
export interface InspectedCrate extends Publication {
  readonly manifest: Manifest
}

/**
 * Reads a `.crate` file and applies the rules of integrity to it; everything that is stored of it comes from its own
 * `Cargo.toml`.
 * @throws {CargoError} for the first rule that it breaks
 */
export async function inspectCrate(
  options: Options,
  via: string,
  { name, vers }: { readonly name: CrateName; readonly vers: Version },
  spool: Spool,
  now: Date,
): Promise<InspectedCrate> {
  const { limits } = options
  const tarball = await inspectTarball(spool.content(), {
    name,
    version: vers,
    maxUnpacked: limits.unpacked,
    maxEntries: limits.entries,
  })
  const manifest = parseManifest(tarball.manifest)
  const own = isThisRegistry(options, via)
  const deps = manifest.deps.map((dep) => ({ ...dep, registry: dependencyRegistry(dep, own) }))
  const entry = entryFromManifest({ ...manifest, deps }, { cksum: spool.sha256, pubtime: pubtime(now) })
  checkIntegrity(manifest, entry, { registries: (url) => isAllowed(options, url) })
  return { manifest, entry, details: versionDetails(manifest, tarball, spool.size) }
}

/** Whether an index URL is that of this registry, under the address it was reached by or an old one. */
export function isThisRegistry({ aliases }: Options, via: string): (url: string) => boolean {
  return (url) =>
    [via, ...aliases].some(
      (base) => sameRegistry(url, `sparse+${base}/`) || sameRegistry(url, `sparse+${base}/index/`),
    )
}

function isAllowed(options: Options, url: string): boolean {
  return [CRATES_IO_INDEX, ...options.registries].some((allowed) => sameRegistry(url, allowed))
}

/** What people read about a version; everything from the manifest, which is what was published, and the files. */
function versionDetails(manifest: Manifest, { sources }: Tarball, size: number): VersionDetails {
  const { description, documentation, homepage, repository, license, edition } = manifest
  const targets = targetsOf(manifest.targets, manifest.name, sources)
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
    has_lib: targets.lib,
    bin_names: targets.bins,
    keywords: manifest.keywords,
    categories: manifest.categories,
    authors: manifest.authors,
  }
}
