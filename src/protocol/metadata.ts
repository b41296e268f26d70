import type { DependencyKind } from './manifest-dependencies.ts'
import { type Fields, invalidMetadata, parseJson } from './metadata-json.ts'

/** A dependency in the JSON of a publish. Unlike in the index, `name` is the real name and the alias has its own field. */
export interface PublishDep {
  readonly name: string
  readonly version_req: string
  readonly features: readonly string[]
  readonly optional: boolean
  readonly default_features: boolean
  readonly target: string | null
  readonly kind: DependencyKind
  /** Absent: the registry that is published to. */
  readonly registry?: string
  readonly explicit_name_in_toml?: string
  readonly artifact?: readonly string[]
  readonly bindep_target?: string
  readonly lib?: boolean
}

/** The JSON of a publish (protocol.md 3.2). Fields that we do not know are kept beside these. */
export interface PublishMetadata {
  readonly name: string
  readonly vers: string
  readonly deps: readonly PublishDep[]
  readonly features: Readonly<Record<string, readonly string[]>>
  readonly authors: readonly string[]
  readonly description: string | null
  readonly documentation: string | null
  readonly homepage: string | null
  /** The text, not the path. */
  readonly readme: string | null
  readonly readme_file: string | null
  readonly keywords: readonly string[]
  readonly categories: readonly string[]
  readonly license: string | null
  readonly license_file: string | null
  readonly repository: string | null
  readonly badges: Readonly<Record<string, unknown>>
  readonly links: string | null
  readonly rust_version: string | null
}

/** Shown texts of several lines: newlines and tabs are welcome there. */
const PROSE: ReadonlySet<string> = new Set(['description', 'readme'])

/**
 * Reads the JSON of a publish. Only `name`, `vers` and what makes a dependency are required; the rest may be absent.
 * @throws {CargoError} `invalid_metadata` naming the field's path and what is wanted there
 */
export function parseMetadata(bytes: Uint8Array): PublishMetadata {
  const json = parseJson(bytes, PROSE)
  return {
    ...json,
    name: required(json, 'name', ''),
    vers: required(json, 'vers', ''),
    deps: list(json['deps'], 'deps').map((dep, i) => parseDep(dep, `deps[${i}]`)),
    features: parseFeatures(json['features']),
    authors: strings(json['authors'], 'authors'),
    description: nullable(json, 'description'),
    documentation: nullable(json, 'documentation'),
    homepage: nullable(json, 'homepage'),
    readme: nullable(json, 'readme'),
    readme_file: nullable(json, 'readme_file'),
    keywords: strings(json['keywords'], 'keywords'),
    categories: strings(json['categories'], 'categories'),
    license: nullable(json, 'license'),
    license_file: nullable(json, 'license_file'),
    repository: nullable(json, 'repository'),
    badges: object(json['badges'] ?? {}, 'badges'),
    links: nullable(json, 'links'),
    rust_version: nullable(json, 'rust_version'),
  }
}

function parseDep(value: unknown, path: string): PublishDep {
  const { registry, explicit_name_in_toml, artifact, bindep_target, lib, ...dep } = object(value, path)
  return {
    ...dep,
    name: required(dep, 'name', path),
    version_req: required(dep, 'version_req', path),
    features: strings(dep['features'], `${path}.features`),
    optional: boolean(dep['optional'], `${path}.optional`) ?? false,
    default_features: boolean(dep['default_features'], `${path}.default_features`) ?? true,
    target: string(dep['target'], `${path}.target`) ?? null,
    kind: parseKind(dep['kind'] ?? 'normal', `${path}.kind`),
    ...present('registry', string(registry, `${path}.registry`)),
    ...present('explicit_name_in_toml', string(explicit_name_in_toml, `${path}.explicit_name_in_toml`)),
    ...present('artifact', isAbsent(artifact) ? undefined : strings(artifact, `${path}.artifact`)),
    ...present('bindep_target', string(bindep_target, `${path}.bindep_target`)),
    ...present('lib', boolean(lib, `${path}.lib`)),
  }
}

function parseKind(value: unknown, path: string): DependencyKind {
  if (value === 'normal' || value === 'build' || value === 'dev') return value
  throw invalidMetadata(path, '`normal`, `build` or `dev`', value)
}

function parseFeatures(value: unknown): Record<string, readonly string[]> {
  const features = Object.entries(object(value ?? {}, 'features'))
  // `fromEntries` defines properties, so that a feature called `__proto__` is one like any other.
  return Object.fromEntries(features.map(([name, items]) => [name, strings(items, `features.${name}`)]))
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

function required(fields: Fields, field: string, path: string): string {
  const at = path === '' ? field : `${path}.${field}`
  const value = string(own(fields, field), at)
  if (value === undefined) throw invalidMetadata(at, 'a string', value)
  return value
}

function nullable(fields: Fields, field: string): string | null {
  return string(own(fields, field), field) ?? null
}

function own(fields: Fields, field: string): unknown {
  return Object.hasOwn(fields, field) ? fields[field] : undefined
}

function string(value: unknown, path: string): string | undefined {
  if (isAbsent(value)) return undefined
  if (typeof value === 'string') return value
  throw invalidMetadata(path, 'a string', value)
}

function boolean(value: unknown, path: string): boolean | undefined {
  if (isAbsent(value)) return undefined
  if (typeof value === 'boolean') return value
  throw invalidMetadata(path, '`true` or `false`', value)
}

function list(value: unknown, path: string): readonly unknown[] {
  if (isAbsent(value)) return []
  if (Array.isArray(value)) return value
  throw invalidMetadata(path, 'a list', value)
}

function strings(value: unknown, path: string): readonly string[] {
  return list(value, path).map((item, i) => {
    if (typeof item === 'string') return item
    throw invalidMetadata(`${path}[${i}]`, 'a string', item)
  })
}

function object(value: unknown, path: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw invalidMetadata(path, 'an object', value)
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V }
}
