import { parse, TomlError } from 'smol-toml'
import { CargoError } from '../errors.ts'
import { MAX_FEATURES } from './features.ts'
import { type ManifestDep, readDependencies } from './manifest-dependencies.ts'
import {
  entriesOf,
  failManifest,
  listField,
  proseField,
  refuseKeys,
  type Table,
  tableField,
  textField,
} from './manifest-field.ts'
import { type NamedTargets, readTargets } from './targets.ts'

/** The largest manifests on crates.io have some 150 KB; the most laborious one of this size is parsed within 50 ms. */
export const MAX_MANIFEST_BYTES = 256 * 1024

/** toml-rs, which cargo reads with, stops at 80 levels. */
const MAX_DEPTH = 80

/** What a registry needs of a normalised `Cargo.toml`. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly deps: readonly ManifestDep[]
  /** The raw `[features]` table, `dep:` and `?/` included. */
  readonly features: Readonly<Record<string, readonly string[]>>
  readonly links?: string
  readonly rustVersion?: string
  readonly edition?: string
  readonly description?: string
  readonly license?: string
  readonly licenseFile?: string
  /** The file's path; absent when there is none. */
  readonly readme?: string
  readonly homepage?: string
  readonly documentation?: string
  readonly repository?: string
  readonly authors: readonly string[]
  readonly keywords: readonly string[]
  readonly categories: readonly string[]
  readonly targets: NamedTargets
}

export interface ManifestOptions {
  /** Whether an index URL is that of the registry that is published to, under any of its names; default: none is. */
  readonly isOwnRegistry?: (url: string) => boolean
  /** Default `MAX_MANIFEST_BYTES`. */
  readonly maxBytes?: number
}

/** Tables that cargo drops when it packages, or that only some versions of it read. */
const FOREIGN_TABLES = {
  patch: 'must not be there: a crate cannot be published with it',
  replace: 'must not be there: a crate cannot be published with it',
  project: 'must be spelled `package`',
}

/**
 * Reads a `Cargo.toml` as cargo normalises it when it packages. Names, versions and features are not judged here.
 * @throws {CargoError} `invalid_manifest` for text that is not UTF-8 or TOML, for wrong types and for what only makes
 * sense in a workspace; `invalid_requirement` and `invalid_dependency` for dependencies; `too_large`
 */
export function parseManifest(bytes: Uint8Array, options: ManifestOptions = {}): Manifest {
  const { isOwnRegistry = () => false, maxBytes = MAX_MANIFEST_BYTES } = options
  if (bytes.length > maxBytes) {
    throw new CargoError(
      'too_large',
      `\`Cargo.toml\` has ${bytes.length} bytes: at most ${maxBytes} are accepted`,
    )
  }
  const document = parseDocument(decode(bytes))
  refuseKeys(document, FOREIGN_TABLES)
  const fields = tableField(document, 'package') ?? failManifest('`package` is missing')
  return {
    ...readPackage(fields),
    deps: readDependencies(document, isOwnRegistry),
    features: readFeatures(tableField(document, 'features') ?? {}),
    targets: readTargets(document),
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    return failManifest('must be UTF-8', error)
  }
}

function parseDocument(text: string): Table {
  try {
    return parse(text, { maxDepth: MAX_DEPTH, integersAsBigInt: 'asNeeded' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n', 1)[0]
    return failManifest(`${reason} (line ${error.line}, column ${error.column})`, error)
  }
}

type PackageFields = Omit<Manifest, 'deps' | 'features' | 'targets'>

function readPackage(fields: Table): PackageFields {
  const required = (key: string): string =>
    textField(fields, key, 'package') ?? failManifest(`\`package.${key}\` is missing`)
  const list = (key: string): readonly string[] => listField(fields, key, 'package')
  return {
    name: required('name'),
    version: required('version'),
    ...readTexts(fields),
    ...present('description', proseField(fields, 'description', 'package')),
    ...present('readme', readReadme(fields)),
    authors: list('authors'),
    keywords: list('keywords'),
    categories: list('categories'),
  }
}

/** Keys of `[package]` that are one line of text, and the field each becomes. */
const TEXTS = {
  links: 'links',
  'rust-version': 'rustVersion',
  edition: 'edition',
  license: 'license',
  'license-file': 'licenseFile',
  homepage: 'homepage',
  documentation: 'documentation',
  repository: 'repository',
} as const

function readTexts(fields: Table): Partial<PackageFields> {
  const texts = Object.entries(TEXTS).map(([key, field]) => present(field, textField(fields, key, 'package')))
  return Object.assign({}, ...texts)
}

/** `false` stands for none, `true` for the usual name. */
function readReadme(fields: Table): string | undefined {
  const readme = fields['readme']
  if (typeof readme === 'boolean') return readme ? 'README.md' : undefined
  return textField(fields, 'readme', 'package')
}

function readFeatures(table: Table): Record<string, readonly string[]> {
  const entries = entriesOf(table, 'features')
  // counted before they are read: many thousands would stall the event loop
  if (entries.length > MAX_FEATURES)
    failManifest(`\`features\` must be at most ${MAX_FEATURES}, not ${entries.length}`)
  const features = entries.map(([name]) => [name, listField(table, name, 'features')] as const)
  return Object.fromEntries(features)
}

function present(key: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [key]: value }
}
