import { gzipSync } from 'node:zlib'
import { stringify } from 'smol-toml'
import type { PublishDep, PublishMetadata } from '../../src/protocol/metadata.ts'
import { encodePublishBody } from '../../src/protocol/publish-body.ts'
import { type TarFields, tarEnd, tarEntry, tarFile } from './tar-entry.ts'

/** A dependency as one writes it: a requirement, or a table; `kind` and `target` say which table it is put in. */
export interface DepSpec {
  readonly version?: string
  readonly optional?: boolean
  readonly features?: readonly string[]
  readonly 'default-features'?: boolean
  readonly package?: string
  readonly 'registry-index'?: string
  /** The `registry-index` is the registry that is published to, which metadata leaves out. */
  readonly own?: boolean
  readonly kind?: 'normal' | 'build' | 'dev'
  readonly target?: string
}

/** Builds a `.crate` file step by step; every step changes the builder and returns it. */
export interface CrateFile {
  readonly name: string
  readonly version: string
  /** Sets fields of `[package]`, in the manifest and in the metadata alike; `undefined` removes one. */
  package(fields: Readonly<Record<string, unknown>>): CrateFile
  dep(name: string, spec: string | DepSpec): CrateFile
  feature(name: string, values?: readonly string[]): CrateFile
  /** Replaces the whole `Cargo.toml`, by text or as an object; the metadata stays as it is. */
  manifest(toml: string | Uint8Array | object): CrateFile
  /** Leaves `Cargo.toml` out. */
  withoutManifest(): CrateFile
  /** Adds a regular file; the path is the whole one, `foo-1.0.0/src/main.rs`. */
  add(path: string, content?: string | Uint8Array): CrateFile
  /** Adds an entry with a header of one's own making. */
  entry(fields: TarFields, content?: string | Uint8Array): CrateFile
  /** Adds bytes to the archive as they are. */
  raw(bytes: Uint8Array): CrateFile
  /** The uncompressed archive. */
  tar(): Buffer
  /** The `.crate` file. */
  bytes(): Buffer
  build(): Promise<Buffer>
  /** The metadata that cargo would send with it. */
  metadata(): PublishMetadata
}

/** A crate that every rule accepts: a manifest with description and licence, and an empty `src/lib.rs`. */
export function crateFile(name = 'foo', version = '1.0.0'): CrateFile {
  const root = `${name}-${version}`
  const fields: Record<string, unknown> = {
    name,
    version,
    edition: '2021',
    description: `The crate ${name}`,
    license: 'MIT',
  }
  const deps: [string, DepSpec][] = []
  const features: Record<string, string[]> = {}
  const entries: Uint8Array[] = []
  let manifest: (() => string | Uint8Array) | undefined = () => renderManifest(fields, deps, features)

  const tar = (): Buffer => {
    const first = manifest === undefined ? [] : [tarFile(`${root}/Cargo.toml`, manifest())]
    return Buffer.concat([...first, tarFile(`${root}/src/lib.rs`), ...entries, tarEnd()])
  }
  const crate: CrateFile = {
    name,
    version,
    package: (more) => step(() => Object.assign(fields, more)),
    dep: (dep, spec) => step(() => deps.push([dep, typeof spec === 'string' ? { version: spec } : spec])),
    feature: (feature, values = []) => step(() => Object.assign(features, { [feature]: [...values] })),
    manifest: (toml) => step(() => (manifest = () => tomlText(toml))),
    withoutManifest: () => step(() => (manifest = undefined)),
    add: (path, content) => step(() => entries.push(tarFile(path, content))),
    entry: (header, content) => step(() => entries.push(tarEntry(header, content))),
    raw: (bytes) => step(() => entries.push(bytes)),
    tar,
    bytes: () => gzipSync(tar()),
    build: async () => gzipSync(tar()),
    metadata: () => metadataOf(fields, deps, features),
  }
  return crate

  function step(change: () => unknown): CrateFile {
    change()
    return crate
  }
}

/** The metadata of a crate, with fields replaced. */
export function metadataFor(crate: CrateFile, changes: Partial<PublishMetadata> = {}): PublishMetadata {
  return { ...crate.metadata(), ...changes }
}

/** The body of a publish request; the metadata's fields can be replaced. */
export function publishBody(crate: CrateFile, changes: Partial<PublishMetadata> = {}): Buffer {
  return Buffer.from(encodePublishBody(metadataFor(crate, changes), crate.bytes()))
}

function tomlText(toml: string | Uint8Array | object): string | Uint8Array {
  return typeof toml === 'string' || toml instanceof Uint8Array ? toml : stringify(toml)
}

const TABLES = { normal: 'dependencies', build: 'build-dependencies', dev: 'dev-dependencies' } as const

function renderManifest(
  fields: Readonly<Record<string, unknown>>,
  deps: readonly (readonly [string, DepSpec])[],
  features: Readonly<Record<string, readonly string[]>>,
): string {
  const document: Record<string, Record<string, unknown>> = { package: present(fields) }
  for (const [name, { kind = 'normal', target, own: _, ...spec }] of deps) {
    let tables = document
    if (target !== undefined) tables = descend(descend(document, 'target'), target)
    descend(tables, TABLES[kind])[name] = spec
  }
  return stringify({ ...document, features })
}

function descend(parent: Record<string, unknown>, key: string): Record<string, Record<string, unknown>> {
  parent[key] ??= {}
  return parent[key] as Record<string, Record<string, unknown>>
}

function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function metadataOf(
  fields: Readonly<Record<string, unknown>>,
  deps: readonly (readonly [string, DepSpec])[],
  features: Readonly<Record<string, readonly string[]>>,
): PublishMetadata {
  const text = (key: string): string | null => (typeof fields[key] === 'string' ? fields[key] : null)
  const list = (key: string): string[] => (Array.isArray(fields[key]) ? fields[key].map(String) : [])
  return {
    name: String(fields['name']),
    vers: String(fields['version']),
    deps: deps.map(([name, spec]) => metadataDep(name, spec)),
    features,
    authors: list('authors'),
    description: text('description'),
    documentation: text('documentation'),
    homepage: text('homepage'),
    readme: null,
    readme_file: text('readme'),
    keywords: list('keywords'),
    categories: list('categories'),
    license: text('license'),
    license_file: text('license-file'),
    repository: text('repository'),
    badges: {},
    links: text('links'),
    rust_version: text('rust-version'),
  } as PublishMetadata
}

function metadataDep(name: string, spec: DepSpec): PublishDep {
  const requirement = spec.version ?? '*'
  const registry = spec['registry-index'] ?? 'https://github.com/rust-lang/crates.io-index'
  return {
    optional: spec.optional ?? false,
    default_features: spec['default-features'] ?? true,
    name: spec.package ?? name,
    features: [...(spec.features ?? [])],
    version_req: /^\d+(\.\d+){0,2}$/.test(requirement) ? `^${requirement}` : requirement,
    target: spec.target ?? null,
    kind: spec.kind ?? 'normal',
    ...(spec.own === true ? {} : { registry }),
    ...(spec.package === undefined ? {} : { explicit_name_in_toml: name }),
  } as PublishDep
}
