import { CargoError } from '../errors.ts'
import { quote } from './text.ts'

/**
 * Ours, for a crate's features and for what one feature enables: bindings that are generated have thousands. crates.io's
 * own limit of 300 is a matter of policy.
 */
export const MAX_FEATURES = 5000

/** Ours: crates.io has none, and real names stay far below. */
export const MAX_FEATURE_LENGTH = 255

/** cargo's rule: XID, `_` or a digit first, then also `+`, `-` and `.`. */
const FEATURE_NAME = /^[\p{XID_Start}_0-9][\p{XID_Continue}+.-]*$/u

/** What the features of a crate may refer to: its dependencies under the names that the manifest gives them. */
export interface FeatureDep {
  readonly name: string
  readonly optional: boolean
}

/** What one item of a feature's list enables. */
type FeatureValue =
  | { readonly kind: 'feature'; readonly feature: string }
  | { readonly kind: 'dep'; readonly dep: string }
  | { readonly kind: 'dep-feature'; readonly dep: string; readonly feature: string; readonly weak: boolean }

/** Whether `text` can name a feature. */
export function isValidFeatureName(text: string): boolean {
  return text.length <= MAX_FEATURE_LENGTH && FEATURE_NAME.test(text)
}

/**
 * @throws {CargoError} `invalid_metadata` when `text` cannot name a feature
 */
export function validateFeatureName(text: string): string {
  if (isValidFeatureName(text)) return text
  throw refusal(
    `invalid feature name ${quote(text)}: must start with a letter, \`_\` or a digit, ` +
      `go on with letters, digits, \`_\`, \`-\`, \`+\` or \`.\`, and have at most ${MAX_FEATURE_LENGTH} characters`,
  )
}

/**
 * Judges a features table as cargo judges an index entry, where one bad reference makes the whole entry invalid
 * (`build_feature_map` in cargo's `core/summary.rs`).
 * @throws {CargoError} `invalid_metadata` naming the feature and what it refers to
 */
export function checkFeatures(
  features: Readonly<Record<string, readonly string[]>>,
  deps: readonly FeatureDep[],
): void {
  const count = Object.keys(features).length
  if (count > MAX_FEATURES)
    throw refusal(`crate has \`${count}\` features: at most ${MAX_FEATURES} are allowed`)
  for (const [feature, list] of Object.entries(features)) {
    validateFeatureName(feature)
    if (list.length <= MAX_FEATURES) continue
    throw refusal(
      `feature \`${feature}\` enables \`${list.length}\` items: at most ${MAX_FEATURES} are allowed`,
    )
  }
  const table = new Map(Object.entries(features).map(([name, list]) => [name, list.map(parseValue)]))
  const optional = optionalByName(deps)
  const named = new Set(
    [...table.values()].flat().flatMap((value) => (value.kind === 'dep' ? [value.dep] : [])),
  )
  for (const [feature, values] of table) {
    for (const value of values) {
      const problem = referenceProblem(value, table, optional, named)
      if (problem !== undefined)
        throw refusal(`feature \`${feature}\` includes ${quote(renderValue(value))}: ${problem}`)
    }
  }
  checkReachable(table, optional)
}

/** Whether a dependency is optional, by its name in the manifest: of several entries, one is enough. */
function optionalByName(deps: readonly FeatureDep[]): ReadonlyMap<string, boolean> {
  const optional = new Map<string, boolean>()
  for (const dep of deps) optional.set(dep.name, dep.optional || optional.get(dep.name) === true)
  return optional
}

function parseValue(text: string): FeatureValue {
  const slash = text.indexOf('/')
  if (slash >= 0) {
    const left = text.slice(0, slash)
    const weak = left.endsWith('?')
    return { kind: 'dep-feature', dep: weak ? left.slice(0, -1) : left, feature: text.slice(slash + 1), weak }
  }
  return text.startsWith('dep:')
    ? { kind: 'dep', dep: text.slice('dep:'.length) }
    : { kind: 'feature', feature: text }
}

function renderValue(value: FeatureValue): string {
  switch (value.kind) {
    case 'feature':
      return value.feature
    case 'dep':
      return `dep:${value.dep}`
    case 'dep-feature':
      return `${value.dep}${value.weak ? '?' : ''}/${value.feature}`
  }
}

/** Why a value refers to nothing. */
function referenceProblem(
  value: FeatureValue,
  table: ReadonlyMap<string, unknown>,
  optional: ReadonlyMap<string, boolean>,
  named: ReadonlySet<string>,
): string | undefined {
  switch (value.kind) {
    case 'feature':
      if (table.has(value.feature)) return undefined
      if (!optional.has(value.feature)) return 'must be a feature or an optional dependency'
      if (!optional.get(value.feature)) return notOptional(value.feature)
      return named.has(value.feature)
        ? `must be written \`dep:${value.feature}\` as in other features`
        : undefined
    case 'dep':
      if (!optional.has(value.dep)) return `${quote(value.dep)} must be a dependency`
      return optional.get(value.dep) ? undefined : notOptional(value.dep)
    case 'dep-feature':
      if (value.dep.startsWith('dep:')) return '`dep:` must not be combined with `/`'
      if (!optional.has(value.dep)) return `${quote(value.dep)} must be a dependency`
      if (value.weak && !optional.get(value.dep)) return notOptional(value.dep)
      return isValidFeatureName(value.feature)
        ? undefined
        : `${quote(value.feature)} must be the name of a feature`
  }
}

function notOptional(dep: string): string {
  return `dependency \`${dep}\` must be optional`
}

/** An optional dependency that shares its name with a feature has no implicit feature: some list must enable it. */
function checkReachable(
  table: ReadonlyMap<string, readonly FeatureValue[]>,
  optional: ReadonlyMap<string, boolean>,
): void {
  const enabled = new Set(
    [...table.values()].flat().flatMap((value) => (value.kind === 'feature' ? [] : [value.dep])),
  )
  for (const [dep, isOptional] of optional) {
    if (isOptional && table.has(dep) && !enabled.has(dep)) {
      throw refusal(
        `feature \`${dep}\` has the name of an optional dependency: some feature must include \`dep:${dep}\``,
      )
    }
  }
}

function refusal(detail: string): CargoError {
  return new CargoError('invalid_metadata', detail)
}
