import { CRATES_IO_INDEX, type ManifestDep } from './manifest-dependencies.ts'

export { CRATES_IO_INDEX }

const SPARSE = 'sparse+'

/**
 * Whether two index URLs name one registry: `sparse+` and a final slash make no difference, nor do the case of the
 * host and a default port. `.git` does: a registry at `…/index` must not pass for the one at `…/index.git`.
 */
export function sameRegistry(a: string, b: string): boolean {
  return canonicalUrl(a) === canonicalUrl(b)
}

/**
 * Where a dependency comes from, as the index and the JSON of a publish say it: `null` is this registry,
 * `CRATES_IO_INDEX` is crates.io. Needed because a normalised manifest spells this registry out like any other one.
 */
export function dependencyRegistry(
  dep: Pick<ManifestDep, 'registry'>,
  isThisRegistry: (url: string) => boolean,
): string | null {
  if (dep.registry === null || isThisRegistry(dep.registry)) return null
  return isCratesIo(dep.registry) ? CRATES_IO_INDEX : dep.registry
}

/** Whether `url` is crates.io's git index: the one spelling that cargo writes, give or take a final slash. */
export function isCratesIo(url: string): boolean {
  return !url.startsWith(SPARSE) && sameRegistry(url, CRATES_IO_INDEX)
}

/**
 * Whether cargo can read `url` as a registry's index: absolute, and over HTTP when it is sparse. An index entry with
 * any other URL is invalid as a whole (protocol.md 2.2).
 */
export function isRegistryUrl(url: string): boolean {
  if (!url.startsWith(SPARSE)) return /^[a-z][a-z0-9.-]*:\/\//.test(url) && URL.canParse(url)
  return /^sparse\+https?:\/\//.test(url) && URL.canParse(url.slice(SPARSE.length))
}

function canonicalUrl(url: string): string {
  const bare = url.startsWith(SPARSE) ? url.slice(SPARSE.length) : url
  const href = URL.canParse(bare) ? new URL(bare).href : bare
  return href.endsWith('/') ? href.slice(0, -1) : href
}
