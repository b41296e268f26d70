import { isValidPubtime } from './index-entry.ts'
import { isValidAlias, isValidName } from './name.ts'
import { isValidRequirement } from './requirement.ts'
import { isU64, isValidSemver, MAX_VERSION_LENGTH } from './version.ts'

/** A JSON object whose fields are not known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** What an index entry is checked against besides its own form; see `ParseLinesOptions`. */
export interface EntryContext {
  readonly name?: string
  readonly oldGrammar?: boolean
}

/** A field of an index line that is not what the index wants; the message names it. */
export class InvalidField extends Error {}

interface Rule {
  readonly holds: (value: unknown, context: EntryContext) => boolean
  readonly wanted: string
}

// Deep values would overflow the stack of whoever renders them; cargo's parser stops at 128.
const MAX_UNKNOWN_DEPTH = 32

const optionalBoolean: Rule = {
  holds: (value) => value === undefined || isBoolean(value),
  wanted: 'a boolean',
}
const nullableBoolean: Rule = {
  holds: (value) => value == null || isBoolean(value),
  wanted: 'a boolean or null',
}
const nullableString: Rule = {
  holds: (value) => value == null || isString(value),
  wanted: 'a string or null',
}
const unknownField: Rule = {
  holds: (value) => isShallow(value, MAX_UNKNOWN_DEPTH),
  wanted: `nested at most ${MAX_UNKNOWN_DEPTH} deep`,
}

/** Of the fields of an object. */
interface Rules {
  readonly byField: ReadonlyMap<string, Rule>
  /** The fields that must be there. */
  readonly required: readonly (readonly [string, Rule])[]
}

function rulesOf(rules: Readonly<Record<string, Rule>>): Rules {
  const all = Object.entries(rules)
  return { byField: new Map(all), required: all.filter(([, { holds }]) => !holds(undefined, {})) }
}

const ENTRY_RULES = rulesOf({
  name: { holds: isEntryName, wanted: 'the name of the crate' },
  vers: { holds: isEntryVersion, wanted: 'a semantic version' },
  deps: { holds: Array.isArray, wanted: 'an array' },
  cksum: {
    holds: (value) => isString(value) && /^[0-9a-f]{64}$/.test(value),
    wanted: '64 lower-case hex digits',
  },
  features: {
    holds: (value) => value === undefined || isFeatureMap(value),
    wanted: 'an object of arrays of strings',
  },
  features2: {
    holds: (value) => value == null || isFeatureMap(value),
    wanted: 'an object of arrays of strings, or null',
  },
  yanked: nullableBoolean,
  links: nullableString,
  rust_version: {
    holds: (value) => value == null || (isString(value) && isRustVersion(value)),
    wanted: 'a version such as `1.70`, or null',
  },
  pubtime: {
    holds: (value) => value == null || (isString(value) && isValidPubtime(value)),
    wanted: 'a time such as `2026-01-31T12:00:00Z`, or null',
  },
  v: { holds: (value) => value == null || isU32(value), wanted: 'a 32-bit number or null' },
})

const DEP_RULES = rulesOf({
  name: { holds: (value) => isString(value) && isValidAlias(value), wanted: 'the name of a dependency' },
  req: {
    holds: (value, { oldGrammar }) => isString(value) && (oldGrammar === true || isValidRequirement(value)),
    wanted: 'a version requirement',
  },
  features: { holds: (value) => value === undefined || isStringList(value), wanted: 'an array of strings' },
  optional: optionalBoolean,
  default_features: optionalBoolean,
  target: {
    holds: (value) => value == null || (isString(value) && value !== ''),
    wanted: 'a target or null',
  },
  kind: nullableString,
  registry: {
    holds: (value) => value == null || (isString(value) && URL.canParse(value)),
    wanted: 'an absolute URL or null',
  },
  package: {
    holds: (value) => value == null || (isString(value) && isValidName(value)),
    wanted: 'a crate name or null',
  },
  public: nullableBoolean,
  artifact: {
    holds: (value) => value == null || isStringList(value),
    wanted: 'an array of strings, or null',
  },
  bindep_target: nullableString,
  lib: optionalBoolean,
})

/**
 * Checks all fields of an entry but the elements of `deps`.
 * @throws {InvalidField}
 */
export function checkEntry(value: Fields, context: EntryContext): void {
  check(value, ENTRY_RULES, undefined, context)
}

/**
 * Checks the element of `deps` at `index`.
 * @throws {InvalidField}
 */
export function checkDep(value: unknown, index: number, context: EntryContext): void {
  if (!isObject(value)) throw new InvalidField(`\`deps[${index}]\` must be an object`)
  check(value, DEP_RULES, index, context)
}

/** Goes through the fields once: an index file has a hundred thousand objects. */
function check(
  value: Fields,
  { byField, required }: Rules,
  index: number | undefined,
  context: EntryContext,
): void {
  for (const field in value) {
    const rule = byField.get(field) ?? unknownField
    if (!rule.holds(value[field], context)) throw invalidField(field, rule, index)
  }
  for (const [field, rule] of required) if (value[field] === undefined) throw invalidField(field, rule, index)
}

function invalidField(field: string, { wanted }: Rule, index: number | undefined): InvalidField {
  const path = index === undefined ? '' : `deps[${index}].`
  return new InvalidField(`\`${path}${field.slice(0, 64)}\` must be ${wanted}`)
}

function isEntryName(value: unknown, { name }: EntryContext): boolean {
  if (!isString(value) || !isValidName(value)) return false
  return name === undefined || value.toLowerCase() === name.toLowerCase()
}

function isEntryVersion(value: unknown, { oldGrammar }: EntryContext): boolean {
  if (!isString(value)) return false
  if (oldGrammar) return value.length <= MAX_VERSION_LENGTH && /^[0-9A-Za-z.+-]+$/.test(value)
  return isValidSemver(value)
}

/** `1`, `1.70` or `1.70.1`: no operator, no pre-release, no build. */
function isRustVersion(value: string): boolean {
  const parts = value.split('.', 4)
  return parts.length <= 3 && parts.every(isU64)
}

/** Whether a value is an object of arrays of strings. */
export function isFeatureMap(value: unknown): boolean {
  if (!isObject(value)) return false
  // `in` makes no list: some crates have thousands of features.
  for (const feature in value) if (!isStringList(value[feature])) return false
  return true
}

function isStringList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isString)
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((element) => isShallow(element, depth - 1))
}

function isU32(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean'
}
