import { idsOf } from './api-id.ts'
import type { ApiContext } from './crate-api.ts'
import type { CrateView, VersionView } from './crate-view.ts'
import type { FeatureMap, IndexEntry } from './index-entry.ts'
import { renderUser } from './owner-api.ts'

const ids = new WeakMap<CrateView, ReadonlyMap<string, number>>()

/** The number that stands for a version in the API: the same every time, and of no other version of the crate. */
export function versionId(view: CrateView, number: string): number {
  let known = ids.get(view)
  if (known === undefined) {
    known = idsOf(view.versions.map(({ entry }) => idText(view.name, entry.vers)))
    ids.set(view, known)
  }
  return known.get(idText(view.name, number)) ?? 0
}

function idText(name: string, number: string): string {
  return `${name}@${number}`
}

/** A version in crates.io's shape; what is not known is `null`. */
export function renderVersion(view: CrateView, { entry, by, at, details }: VersionView, context: ApiContext) {
  const path = `${context.base}/api/v1/crates/${view.name}/${entry.vers}`
  return {
    id: versionId(view, entry.vers),
    crate: view.name,
    num: entry.vers,
    dl_path: `${path}/download`,
    readme_path: `${path}/readme`,
    updated_at: at,
    created_at: at,
    downloads: context.downloads.versions.get(entry.vers) ?? 0,
    features: allFeatures(entry),
    yanked: entry.yanked,
    yank_message: null,
    lib_links: entry.links ?? null,
    license: details.license ?? (details.license_file === undefined ? null : 'non-standard'),
    links: {
      dependencies: `${path}/dependencies`,
      version_downloads: `${path}/downloads`,
      authors: `${path}/authors`,
    },
    crate_size: details.size ?? null,
    published_by: by === undefined ? null : renderUser(by),
    audit_actions: [],
    checksum: entry.cksum,
    rust_version: entry.rust_version ?? null,
    has_lib: details.has_lib ?? null,
    bin_names: details.bin_names ?? null,
    edition: details.edition ?? null,
    description: details.description ?? null,
    homepage: details.homepage ?? null,
    documentation: details.documentation ?? null,
    repository: details.repository ?? null,
    trustpub_data: null,
    linecounts: null,
  }
}

/** What a version depends on, in crates.io's shape: by the name that a crate has, not the one it is renamed to. */
export function renderDependencies(view: CrateView, { entry }: VersionView) {
  const version_id = versionId(view, entry.vers)
  const ids = [
    ...idsOf(entry.deps.map((_, position) => `${idText(view.name, entry.vers)} ${position}`)).values(),
  ]
  return {
    dependencies: entry.deps.map((dep, position) => ({
      id: ids[position],
      version_id,
      crate_id: dep.package ?? dep.name,
      req: dep.req,
      optional: dep.optional,
      default_features: dep.default_features,
      features: dep.features,
      target: dep.target,
      kind: dep.kind,
      downloads: 0,
    })),
  }
}

/** Those for old cargos and those for new ones: only the index keeps them apart. */
function allFeatures({ features, features2 = {} }: IndexEntry): FeatureMap {
  return Object.fromEntries([...Object.entries(features), ...Object.entries(features2)])
}
