import { isTable, type Table } from './manifest-field.ts'

/** Names that are kept of one crate's programs. */
const MAX_BINARIES = 256
/** Where cargo looks for targets that the manifest does not name (Cargo Book, "Target auto-discovery"). */
const SOURCES = /^src\/(?:(?:lib|main)\.rs|bin\/[^/]+(?:\.rs|\/main\.rs))$/
const BINARY = /^src\/bin\/([^/]+?)(?:\.rs|\/main\.rs)$/

/** The targets that a `Cargo.toml` names, and whether cargo looks for others. */
export interface NamedTargets {
  readonly lib: boolean
  readonly bins: readonly string[]
  readonly autolib: boolean
  readonly autobins: boolean
}

/** What a crate is built to. */
export interface Targets {
  readonly lib: boolean
  /** The names of its programs, in order. */
  readonly bins: readonly string[]
}

/** Whether cargo may find a target in a file of this path below the crate's directory. */
export function isTargetSource(path: string): boolean {
  return SOURCES.test(path)
}

/** What a manifest says of targets; what cargo could not read there is passed over, as it builds nothing. */
export function readTargets(document: Table): NamedTargets {
  const found = document['package']
  const fields = isTable(found) ? found : {}
  const bins = namesIn(document['bin'])
  return {
    lib: isTable(document['lib']),
    bins,
    autolib: fields['autolib'] !== false,
    // In the first edition a target that is named ends the search for others.
    autobins: fields['autobins'] !== false && (bins.length === 0 || (fields['edition'] ?? '2015') !== '2015'),
  }
}

/** The targets of the package `name` whose files include `sources`. */
export function targetsOf(named: NamedTargets, name: string, sources: readonly string[]): Targets {
  const found = named.autobins ? sources.flatMap((path) => binaryIn(path, name)) : []
  return {
    lib: named.lib || (named.autolib && sources.includes('src/lib.rs')),
    bins: [...new Set([...named.bins, ...found])].sort().slice(0, MAX_BINARIES),
  }
}

function namesIn(bins: unknown): readonly string[] {
  if (!Array.isArray(bins)) return []
  return bins
    .map((bin) => (isTable(bin) ? bin['name'] : undefined))
    .filter((name): name is string => typeof name === 'string' && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(name))
}

function binaryIn(path: string, name: string): readonly string[] {
  if (path === 'src/main.rs') return [name]
  const binary = BINARY.exec(path)?.[1]
  return binary === undefined ? [] : [binary]
}
