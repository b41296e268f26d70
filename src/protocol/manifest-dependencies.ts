import { CargoError } from '../errors.ts'
import {
  entriesOf,
  failField,
  flagField,
  isTable,
  listField,
  refuseKeys,
  type Table,
  tableField,
  textField,
} from './manifest-field.ts'
import { normalizeRequirement } from './requirement.ts'
import { normalizeTarget } from './target.ts'

/** How crates.io is spelled in index entries and in the metadata of a publish: the git URL, without any prefix. */
export const CRATES_IO_INDEX = 'https://github.com/rust-lang/crates.io-index'

/** crates.io's limit. */
export const MAX_DEPS = 500

/** When a dependency is needed. */
export type DependencyKind = 'normal' | 'build' | 'dev'

/** One dependency of a manifest, in the words of the index (protocol.md 2.2), requirement and target in cargo's spelling. */
export interface ManifestDep {
  /** The key in the table: the alias when the dependency is renamed. */
  readonly name: string
  /** The crate's real name; only when the dependency is renamed. */
  readonly package?: string
  readonly req: string
  readonly features: readonly string[]
  readonly optional: boolean
  readonly default_features: boolean
  /** A triple or a `cfg(…)` expression; `null` for all platforms. */
  readonly target: string | null
  readonly kind: DependencyKind
  /**
   * Where the dependency comes from, said as the index says it: `null` is the registry that the manifest is published to,
   * `CRATES_IO_INDEX` is crates.io (a manifest says that by silence), anything else is another registry's index URL.
   */
  readonly registry: string | null
  readonly public?: boolean
  readonly artifact?: readonly string[]
  readonly bindep_target?: string
  readonly lib?: boolean
}

/** Cargo still reads the old spellings with `_`. */
const TABLES: readonly (readonly [DependencyKind, readonly string[]])[] = [
  ['normal', ['dependencies']],
  ['build', ['build-dependencies', 'build_dependencies']],
  ['dev', ['dev-dependencies', 'dev_dependencies']],
]

const FOREIGN_KEYS = {
  workspace: 'must not be inherited from a workspace',
  registry: 'must be a `registry-index` URL: a registry has its name on one machine only',
}

const NOT_LOCAL = 'must not be there: the index would name another source than the manifest'

/** cargo drops these when it packages; `cargo vendor` would follow them, a build by the index would not. */
const LOCAL_KEYS = { path: NOT_LOCAL, base: NOT_LOCAL, git: NOT_LOCAL }

/**
 * All dependencies of a manifest, those for single platforms included. Reading stops at the limit: many thousands would
 * stall the event loop before anyone counts them.
 * @param isOwnRegistry whether an index URL is that of the registry that is published to
 * @throws {CargoError} `invalid_manifest`, `invalid_requirement`, `invalid_dependency`
 */
export function readDependencies(
  document: Table,
  isOwnRegistry: (url: string) => boolean,
): readonly ManifestDep[] {
  const deps: ManifestDep[] = []
  for (const dep of eachDependency(document, isOwnRegistry)) {
    if (deps.length === MAX_DEPS) {
      throw new CargoError('invalid_dependency', `crate has over ${MAX_DEPS} dependencies`)
    }
    deps.push(dep)
  }
  return deps
}

function* eachDependency(document: Table, isOwnRegistry: (url: string) => boolean): Generator<ManifestDep> {
  yield* eachOfTables(document, '', null, isOwnRegistry)
  for (const [target, value] of entriesOf(tableField(document, 'target') ?? {}, 'target')) {
    if (!isTable(value)) return failField('target', target, 'must be a table')
    yield* eachOfTables(value, `target.${target}`, normalizeTarget(target), isOwnRegistry)
  }
}

function* eachOfTables(
  parent: Table,
  path: string,
  target: string | null,
  isOwnRegistry: (url: string) => boolean,
): Generator<ManifestDep> {
  for (const [kind, spellings] of TABLES) {
    const key = onlySpelling(parent, spellings, path)
    const at = path === '' ? key : `${path}.${key}`
    for (const [name, value] of entriesOf(tableField(parent, key, path) ?? {}, at)) {
      if (!isTable(value) && typeof value !== 'string') {
        return failField(at, name, 'must be a version requirement or a table')
      }
      const spec = typeof value === 'string' ? { version: value } : value
      const fields = Object.assign(Object.create(null), spec)
      yield { name, target, kind, ...readSpec(fields, `${at}.${name}`, name, isOwnRegistry) }
    }
  }
}

function readSpec(
  spec: Table,
  path: string,
  name: string,
  isOwnRegistry: (url: string) => boolean,
): Omit<ManifestDep, 'name' | 'target' | 'kind'> {
  refuseKeys(spec, FOREIGN_KEYS, path)
  const version = textField(spec, 'version', path) ?? failField(path, 'version', 'is missing')
  refuseKeys(spec, LOCAL_KEYS, path)
  const real = textField(spec, 'package', path)
  const index = textField(spec, 'registry-index', path) ?? CRATES_IO_INDEX
  return {
    ...(real !== undefined && real !== name && { package: real }),
    req: normalizeRequirement(version),
    features: listField(spec, 'features', path),
    optional: flagField(spec, 'optional', path) ?? false,
    default_features: flagField(spec, onlySpelling(spec, DEFAULT_FEATURES, path), path) ?? true,
    registry: isOwnRegistry(index) ? null : index,
    ...readUnstable(spec, path),
  }
}

const DEFAULT_FEATURES = ['default-features', 'default_features']

/** Public dependencies (RFC 1977) and artifact dependencies (RFC 3028). */
function readUnstable(
  spec: Table,
  path: string,
): Pick<ManifestDep, 'public' | 'artifact' | 'bindep_target' | 'lib'> {
  const isPublic = flagField(spec, 'public', path)
  const one = spec['artifact']
  const artifact = typeof one === 'string' ? [one] : listField(spec, 'artifact', path)
  const target = textField(spec, 'target', path)
  const lib = flagField(spec, 'lib', path)
  return {
    ...(isPublic !== undefined && { public: isPublic }),
    ...(artifact.length > 0 && { artifact }),
    ...(target !== undefined && { bindep_target: target }),
    ...(lib !== undefined && { lib }),
  }
}

/** The spelling that is used, the first by default; two at once are read differently by different versions of cargo. */
function onlySpelling(table: Table, spellings: readonly string[], path: string): string {
  const [used, other] = spellings.filter((key) => Object.hasOwn(table, key))
  if (other !== undefined) failField(path, other, `must not be there beside \`${used}\``)
  return used ?? spellings[0] ?? ''
}
