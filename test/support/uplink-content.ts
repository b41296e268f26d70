import { createHash } from 'node:crypto'
import { type IndexDep, type IndexEntry, renderLine } from '../../src/protocol/index-entry.ts'
import { CRATES_IO_INDEX } from '../../src/protocol/manifest-dependencies.ts'
import type { PublishDep } from '../../src/protocol/metadata.ts'
import type { CrateFile } from './crate-file.ts'

/** Long ago, so that no rule about young versions minds. */
const LONG_AGO = '2020-01-02T03:04:05Z'
const FIRST_CHANGE_MS = Date.parse('2026-01-01T00:00:00Z')

/** A version as an index and a folder of files have it. */
export interface UplinkVersion {
  readonly name: string
  readonly version: string
  /** The line of the index, without its newline. */
  readonly line: string
  readonly cksum: string
  /** The `.crate` file; absent: only the index knows the version. */
  readonly bytes?: Buffer
}

/** A crate with what its manifest does not say. */
export interface UplinkCrate {
  readonly crate: CrateFile
  /** Default: long ago; `null`: the line has none. */
  readonly pubtime?: string | null
  readonly yanked?: boolean
}

export type UplinkInput = CrateFile | UplinkCrate | UplinkVersion

/** What an uplink serves. */
export interface UplinkContent {
  /** A number that grows with every change. */
  revision(): number
  /** The index file of a crate, `undefined` when there is none. */
  index(name: string): { readonly body: Buffer; readonly modified: Date } | undefined
  /** Also those that the index does not list any more. */
  versions(): Iterable<UplinkVersion>
  publish(input: UplinkInput): UplinkVersion
  yank(name: string, version: string, yanked?: boolean): void
  /** Takes a version out of the index; with `bytes` its file goes too. */
  remove(name: string, version: string, what?: 'line' | 'bytes'): void
  /** Changes a line as one likes. */
  edit(name: string, version: string, change: (line: string) => string): void
}

/** Content that remembers when each file of the index last changed: a minute passes with every change. */
export function uplinkContent(inputs: Iterable<UplinkInput> = []): UplinkContent {
  const files = new Map<string, { versions: UplinkVersion[]; modified: Date }>()
  const unlisted: UplinkVersion[] = []
  let changes = 0

  function change(name: string, of: (versions: UplinkVersion[]) => UplinkVersion[]): void {
    const key = name.toLowerCase()
    const modified = new Date(FIRST_CHANGE_MS + 60_000 * ++changes)
    files.set(key, { versions: of(files.get(key)?.versions ?? []), modified })
  }
  const edit: UplinkContent['edit'] = (name, version, of) =>
    change(name, (versions) =>
      versions.map((it) => (it.version === version ? { ...it, line: of(it.line) } : it)),
    )
  function publish(input: UplinkInput): UplinkVersion {
    const added = 'line' in input ? input : versionOf('crate' in input ? input : { crate: input })
    change(added.name, (versions) => [...versions, added])
    return added
  }
  for (const input of inputs) publish(input)

  return {
    revision: () => changes,
    index(name) {
      const file = files.get(name.toLowerCase())
      if (file === undefined || file.versions.length === 0) return undefined
      return {
        body: Buffer.from(file.versions.map(({ line }) => `${line}\n`).join('')),
        modified: file.modified,
      }
    },
    *versions() {
      for (const { versions } of files.values()) yield* versions
      yield* unlisted
    },
    publish,
    edit,
    yank: (name, version, yanked = true) =>
      edit(name, version, (line) => line.replace(/"yanked":\s*(true|false)/, `"yanked":${yanked}`)),
    remove: (name, version, what = 'line') =>
      change(name, (versions) => {
        if (what === 'line') unlisted.push(...versions.filter((it) => it.version === version))
        return versions.filter((it) => it.version !== version)
      }),
  }
}

/** A crate as crates.io would have it after its publish. */
export function versionOf({ crate, pubtime = LONG_AGO, yanked = false }: UplinkCrate): UplinkVersion {
  const bytes = crate.bytes()
  const cksum = createHash('sha256').update(bytes).digest('hex')
  const { name, vers, deps, features, links, rust_version } = crate.metadata()
  const entry: IndexEntry = {
    name,
    vers,
    deps: deps.map(indexDep),
    cksum,
    ...featureFields(features),
    yanked,
    ...(links != null && { links }),
    ...(rust_version != null && { rust_version }),
    ...(pubtime !== null && { pubtime }),
  }
  return { name: crate.name, version: crate.version, line: renderLine(entry), cksum, bytes }
}

function indexDep(dep: PublishDep): IndexDep {
  const { name, version_req: req, explicit_name_in_toml: alias, registry } = dep
  return {
    name: alias ?? name,
    req,
    features: dep.features ?? [],
    optional: dep.optional,
    default_features: dep.default_features,
    target: dep.target ?? null,
    kind: dep.kind ?? 'normal',
    ...(registry != null && registry !== CRATES_IO_INDEX && { registry }),
    ...(alias != null && { package: name }),
  }
}

/** crates.io hides features of a newer syntax from old cargos. */
function featureFields(
  features: Readonly<Record<string, readonly string[]>>,
): Pick<IndexEntry, 'features' | 'features2' | 'v'> {
  const entries = Object.entries(features)
  const isNew = ([, values]: (typeof entries)[number]) => values.some((it) => /^dep:|\?\//.test(it))
  if (!entries.some(isNew)) return { features }
  return {
    features: Object.fromEntries(entries.filter((entry) => !isNew(entry))),
    features2: Object.fromEntries(entries.filter(isNew)),
    v: 2,
  }
}
