import { CargoError } from '../errors.ts'
import { isU64, isValidSemver } from './version.ts'

/** What Rust's `semver` crate takes. */
const MAX_COMPARATORS = 32
/** Characters shown of a requirement that is refused. */
const EXCERPT = 150

// No two neighbours match blanks, else a megabyte of them would take quadratic time.
const ANY = /^ *[*xX] *$/
const COMPARATOR =
  /^ *(?:(=|>=?|<=?|~|\^) *)?([0-9]{1,20})(?:\.([0-9]{1,20}|[*xX]))?(?:\.([0-9]{1,20}|[*xX]))?([-+][0-9A-Za-z.+-]*)? *$/

/** A version requirement as Rust's `semver` crate reads it: `^1.2`, `>=1.0, <2`, `1.*`, `*`. */
export type Requirement = string & { readonly __brand: 'Requirement' }

/** Whether Rust's `VersionReq` accepts `requirement`: comparators separated by commas, or a lone wildcard. */
export function isValidRequirement(requirement: string): requirement is Requirement {
  return render(requirement) !== undefined
}

/**
 * @throws {CargoError} `invalid_requirement`, naming the value
 */
export function validateRequirement(requirement: string): Requirement {
  if (isValidRequirement(requirement)) return requirement
  throw invalid(requirement)
}

/**
 * The spelling that cargo sends to a registry and writes into locks and packages: `1` becomes `^1`, `>=1.0,<2`
 * becomes `>=1.0, <2`, build metadata is dropped.
 * @throws {CargoError} `invalid_requirement`, naming the value
 */
export function normalizeRequirement(requirement: string): Requirement {
  const rendered = render(requirement)
  if (rendered === undefined || !isValidRequirement(rendered)) throw invalid(requirement)
  return rendered
}

/** The requirement in `VersionReq`'s display form; `undefined` when it is none. */
function render(requirement: string): string | undefined {
  if (ANY.test(requirement)) return '*'
  const parts = requirement.split(',', MAX_COMPARATORS + 1)
  if (parts.length > MAX_COMPARATORS) return undefined
  const comparators: string[] = []
  for (const part of parts) {
    const comparator = renderComparator(part)
    if (comparator === undefined) return undefined
    comparators.push(comparator)
  }
  return comparators.join(', ')
}

function renderComparator(part: string): string | undefined {
  const match = COMPARATOR.exec(part)
  if (match === null) return undefined
  const [, op, major = '', minor, patch, rest = ''] = match
  const numbers = [major, minor, patch].filter((number) => number !== undefined && !isWildcard(number))
  if (!numbers.every((number) => number !== undefined && isU64(number))) return undefined
  // `1.*.3` is refused, and only a full version may have a pre-release or build part.
  if (isWildcard(minor) && patch !== undefined && !isWildcard(patch)) return undefined
  if (rest !== '' && (numbers.length < 3 || !isValidSemver(`0.0.0${rest}`))) return undefined
  const core = numbers.join('.')
  if (op === undefined && (isWildcard(minor) || isWildcard(patch))) return `${core}.*`
  return `${op ?? '^'}${core}${prerelease(rest)}`
}

function isWildcard(number: string | undefined): boolean {
  return number === '*' || number === 'x' || number === 'X'
}

function prerelease(rest: string): string {
  const plus = rest.indexOf('+')
  return plus < 0 ? rest : rest.slice(0, plus)
}

function invalid(requirement: string): CargoError {
  const shown = requirement.length > EXCERPT ? `${requirement.slice(0, EXCERPT)}…` : requirement
  return new CargoError(
    'invalid_requirement',
    `invalid version requirement \`${shown}\`: must be like \`1.2\`, \`>=1.0, <2\` or \`1.*\``,
  )
}
