import { parse } from 'semver'
import { CargoError } from '../errors.ts'

/** The longest version, in characters; crates.io's limit. */
export const MAX_VERSION_LENGTH = 150

/** A version that satisfies {@link isValidSemver}. */
export type Version = string & { readonly __brand: 'Version' }

const U64_MAX = 2n ** 64n - 1n
const U64_DIGITS = 20
/** Nearly all versions, and none whose numbers need more than 64 bits. */
const PLAIN = /^(?:0|[1-9]\d{0,18})\.(?:0|[1-9]\d{0,18})\.(?:0|[1-9]\d{0,18})$/
const CORE = /^(\d{1,20})\.(\d{1,20})\.(\d{1,20})(?=[-+]|$)/

/** Whether `digits` is a decimal number without leading zeros that fits 64 bits, as Rust's semver wants its numbers. */
export function isU64(digits: string): boolean {
  return /^(?:0|[1-9]\d{0,19})$/.test(digits) && (digits.length < U64_DIGITS || BigInt(digits) <= U64_MAX)
}

/** Whether `version` is what Rust's semver crate accepts: no `v`, no spaces, no leading zeros, numbers up to 2^64 - 1. */
export function isValidSemver(version: string): version is Version {
  if (PLAIN.test(version)) return true
  if (version.length > MAX_VERSION_LENGTH) return false
  const core = CORE.exec(version)
  if (!core?.slice(1).every(isU64)) return false
  if (core[0].length === version.length) return true
  // npm's semver refuses numbers above 2^53, so it is asked about the rest; it also trims, hence the comparison
  const asked = `0.0.0${version.slice(core[0].length)}`
  const parsed = parse(asked)
  if (!parsed) return false
  const build = parsed.build.length > 0 ? `+${parsed.build.join('.')}` : ''
  return `${parsed.version}${build}` === asked
}

/**
 * The version as it is, once it is known to be one.
 * @throws {CargoError} `invalid_version` naming the value
 */
export function validateVersion(version: string): Version {
  if (isValidSemver(version)) return version
  if (version.length > MAX_VERSION_LENGTH) {
    throw new CargoError(
      'invalid_version',
      `invalid version of ${version.length} characters: must have at most ${MAX_VERSION_LENGTH}`,
    )
  }
  throw new CargoError(
    'invalid_version',
    `invalid version \`${version}\`: must be a semantic version, \`1.2.3\``,
  )
}

/** What makes a version unique in its crate: all of it but the build metadata. */
export function versionKey(version: string): string {
  const plus = version.indexOf('+')
  return plus < 0 ? version : version.slice(0, plus)
}

/** Whether a version has a pre-release part. */
export function isPrerelease(version: string): boolean {
  return versionKey(version).includes('-')
}

/** SemVer's precedence of two valid versions, exact for every number: negative when `a` is lower; build metadata is ignored. */
export function compareVersions(a: string, b: string): number {
  return isBare(a) && isBare(b) ? compareBare(a, b) : compareParts(split(a), split(b))
}

/** The highest version that is no pre-release, else the highest; `undefined` of none. */
export function maxVersion<V extends string>(versions: Iterable<V>): V | undefined {
  let highest: V | undefined
  let parts: Parts = [[], []]
  for (const version of versions) {
    const next = split(version)
    if (highest !== undefined && !isBetter(next, parts)) continue
    highest = version
    parts = next
  }
  return highest
}

/** Whether a version has nothing but its numbers, as nearly all have. */
function isBare(version: string): boolean {
  return !version.includes('-') && !version.includes('+')
}

/** Long lists are put in order: the numbers in which two versions differ are compared where they stand. */
function compareBare(a: string, b: string): number {
  let [start, at] = [0, 0]
  for (; at < a.length && a[at] === b[at]; at++) if (a[at] === '.') start = at + 1
  if (at === a.length && at === b.length) return 0
  const lengthOf = (version: string) => {
    const end = version.indexOf('.', start)
    return (end < 0 ? version.length : end) - start
  }
  // without leading zeros the longer number is the greater one
  return lengthOf(a) - lengthOf(b) || a.charCodeAt(at) - b.charCodeAt(at)
}

/** The numbers of a version, and the identifiers of its pre-release part. */
type Parts = readonly [core: readonly string[], pre: readonly string[]]

function isBetter(version: Parts, than: Parts): boolean {
  const isPre = version[1].length > 0
  if (isPre !== than[1].length > 0) return !isPre
  return compareParts(version, than) > 0
}

function compareParts([coreA, preA]: Parts, [coreB, preB]: Parts): number {
  const order = compareLists(coreA, coreB)
  if (order !== 0) return order
  if (preA.length === 0 || preB.length === 0) return preB.length - preA.length
  return compareLists(preA, preB)
}

function split(version: string): Parts {
  const key = versionKey(version)
  const dash = key.indexOf('-')
  return dash < 0 ? [key.split('.'), []] : [key.slice(0, dash).split('.'), key.slice(dash + 1).split('.')]
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i], b[i]]
    if (left === undefined || right === undefined) return 1
    if (left === right) continue
    const order = compareIdentifiers(left, right)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareIdentifiers(a: string, b: string): number {
  const numeric = /^\d+$/.test(a)
  if (numeric !== /^\d+$/.test(b)) return numeric ? -1 : 1
  // without leading zeros the longer number is the greater one, and the order of equally long ones is that of their text
  if (numeric && a.length !== b.length) return a.length - b.length
  return a < b ? -1 : Number(a > b)
}
