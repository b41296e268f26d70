import { CargoError } from '../errors.ts'
import type { Manifest } from './manifest.ts'
import type { ManifestDep } from './manifest-dependencies.ts'
import type { PublishDep, PublishMetadata } from './metadata.ts'
import { dependencyRegistry } from './registry-url.ts'
import { normalizeRequirement } from './requirement.ts'
import { normalizeTarget } from './target.ts'
import { quote } from './text.ts'

/** What both sides say of one dependency, in one spelling. */
interface Claim {
  /** The name in the manifest, the kind and the platform: a crate may be needed several times. */
  readonly key: string
  readonly fields: Readonly<Record<string, string>>
}

/**
 * Checks that the JSON of a publish tells of the crate what its manifest tells, as far as cargo resolves by it: what was
 * reviewed in the one must be what is built from the other.
 * @param isThisRegistry whether an index URL is one of the registry that is published to
 * @throws {CargoError} `invalid_metadata` naming the field and both values
 */
export function checkAgreement(
  metadata: PublishMetadata,
  manifest: Manifest,
  isThisRegistry: (url: string) => boolean,
): void {
  mustAgree('name', metadata.name, manifest.name)
  mustAgree('vers', metadata.vers, manifest.version)
  mustAgree('links', metadata.links ?? undefined, manifest.links)
  mustAgree('rust_version', metadata.rust_version ?? undefined, manifest.rustVersion)
  const wanted = numbered(manifest.deps.map((dep) => manifestClaim(dep, isThisRegistry)))
  const claimed = numbered(metadata.deps.map((dep) => metadataClaim(dep, isThisRegistry)))
  mustHaveSameKeys('dependency', claimed, wanted)
  for (const [key, fields] of claimed) {
    for (const [field, value] of Object.entries(fields))
      mustAgree(`${field} of dependency ${key}`, value, wanted.get(key)?.[field])
  }
  const features = new Map(Object.entries(manifest.features))
  const claimedFeatures = new Map(Object.entries(metadata.features))
  mustHaveSameKeys('feature', claimedFeatures, features)
  for (const [name, list] of claimedFeatures)
    mustAgree(`feature ${name}`, sorted(list), sorted(features.get(name)))
}

function manifestClaim(dep: ManifestDep, isThisRegistry: (url: string) => boolean): Claim {
  return claim(dep, {
    alias: dep.name,
    crate: dep.package ?? dep.name,
    req: dep.req,
    registry: dependencyRegistry(dep, isThisRegistry),
  })
}

function metadataClaim(dep: PublishDep, isThisRegistry: (url: string) => boolean): Claim {
  return claim(dep, {
    alias: dep.explicit_name_in_toml ?? dep.name,
    crate: dep.name,
    req: dep.version_req,
    registry: dependencyRegistry({ registry: dep.registry ?? null }, isThisRegistry),
  })
}

/** What the JSON and the manifest spell alike. */
type CommonFields = Pick<
  PublishDep,
  'kind' | 'target' | 'optional' | 'default_features' | 'features' | 'artifact' | 'bindep_target' | 'lib'
>

interface OwnFields {
  readonly alias: string
  readonly crate: string
  readonly req: string
  readonly registry: string | null
}

function claim(dep: CommonFields, { alias, crate, req, registry }: OwnFields): Claim {
  const target = dep.target === null ? '' : ` for ${withoutRawNames(normalizeTarget(dep.target))}`
  return {
    key: `${alias} (${dep.kind}${target})`,
    fields: {
      name: crate,
      version_req: normalizeRequirement(req),
      registry: registry === null ? 'this registry' : registry.replace(/\/$/, ''),
      optional: String(dep.optional),
      default_features: String(dep.default_features),
      features: sorted(dep.features.filter((feature) => feature !== '')),
      artifact: sorted(dep.artifact),
      bindep_target: dep.bindep_target ?? '',
      lib: String(dep.lib ?? false),
    },
  }
}

/** cargo 1.95 drops the `r#` of `cfg(r#true)` in the JSON, and leaves it in the manifest. */
function withoutRawNames(target: string): string {
  return target.replace(/\br#/g, '')
}

/** Two tables for one platform, spelled differently, make two dependencies with one key: told apart by number. */
function numbered(claims: readonly Claim[]): ReadonlyMap<string, Claim['fields']> {
  const ordered = claims.map((one) => ({ ...one, text: JSON.stringify(one.fields) }))
  ordered.sort((a, b) => (a.text < b.text ? -1 : Number(a.text > b.text)))
  const seen = new Map<string, number>()
  return new Map(
    ordered.map(({ key, fields }) => {
      const count = (seen.get(key) ?? 0) + 1
      seen.set(key, count)
      return [count === 1 ? key : `${key} #${count}`, fields]
    }),
  )
}

/** A list whose order means nothing, as text. */
function sorted(list: readonly string[] = []): string {
  return JSON.stringify([...list].sort())
}

function mustHaveSameKeys(
  what: string,
  claimed: ReadonlyMap<string, unknown>,
  wanted: ReadonlyMap<string, unknown>,
): void {
  for (const key of claimed.keys()) if (!wanted.has(key)) mustAgree(what, key, undefined)
  for (const key of wanted.keys()) if (!claimed.has(key)) mustAgree(what, undefined, key)
}

function mustAgree(field: string, inMetadata: string | undefined, inManifest: string | undefined): void {
  if (inMetadata === inManifest) return
  const [said, written] = [inMetadata, inManifest].map((value) =>
    value === undefined ? 'nothing' : quote(value),
  )
  throw new CargoError(
    'invalid_metadata',
    `metadata and \`Cargo.toml\` must agree on ${quote(field)}: metadata has ${said}, \`Cargo.toml\` has ${written}`,
  )
}
