import { normalizeRequirement, type Requirement } from './requirement.ts'
import { compareVersions, isValidSemver } from './version.ts'

/** A test for versions; false for what cargo cannot read as one. */
export type VersionTest = (vers: string) => boolean

interface Parts {
  /** Three numbers; fewer where a requirement leaves them open. */
  readonly core: readonly string[]
  /** With its dash; empty when there is none. */
  readonly pre: string
}

interface Comparator extends Parts {
  readonly op: string
}

const COMPARATOR = /^([<>]=?|[=~^])?(\d+(?:\.\d+)*)(?:\.\*)?(-.+)?$/
const VERSION = /^(\d+)\.(\d+)\.(\d+)(-[^+]+)?/
/** Nearly all versions; the others are asked about. */
const PLAIN_VERSION = /^(?:0|[1-9]\d{0,18})\.(?:0|[1-9]\d{0,18})\.(?:0|[1-9]\d{0,18})$/

/** Whether Rust's `VersionReq` accepts the version; false when cargo cannot read either. */
export function matchesRequirement(req: string, vers: string): boolean {
  return requirementTest(req)?.(vers) ?? false
}

/** A requirement made ready for many versions; `undefined` when cargo cannot read it. */
export function requirementTest(req: string): VersionTest | undefined {
  const normal = tryNormalize(req)
  if (normal === undefined) return undefined
  const comparators = normal === '*' ? [] : normal.split(', ').map(parseComparator)
  return (vers) => {
    const version = parseParts(vers)
    if (version === undefined || !comparators.every((one) => accepts(one, version))) return false
    // a pre-release is taken only where the requirement names one of the same version
    return version.pre === '' || comparators.some((one) => one.pre !== '' && compareCore(version, one) === 0)
  }
}

function tryNormalize(req: string): Requirement | undefined {
  try {
    return normalizeRequirement(req)
  } catch {
    return undefined
  }
}

/** Of a requirement in `VersionReq`'s display form, where `1.*` is the only comparator without an operator. */
function parseComparator(text: string): Comparator {
  const [, op = '=', core = '', pre = ''] = COMPARATOR.exec(text) ?? []
  return { op, core: core.split('.'), pre }
}

function parseParts(vers: string): Parts | undefined {
  if (!PLAIN_VERSION.test(vers) && !isValidSemver(vers)) return undefined
  const [, major = '', minor = '', patch = '', pre = ''] = VERSION.exec(vers) ?? []
  return { core: [major, minor, patch], pre }
}

/** `matches_impl` of https://github.com/dtolnay/semver/blob/master/src/eval.rs */
function accepts(comparator: Comparator, version: Parts): boolean {
  const order = compareCore(version, comparator)
  const isExact = order === 0 && version.pre === comparator.pre
  switch (comparator.op) {
    case '>':
      return isBeyond(order, version, comparator, 1)
    case '>=':
      return isExact || isBeyond(order, version, comparator, 1)
    case '<':
      return isBeyond(order, version, comparator, -1)
    case '<=':
      return isExact || isBeyond(order, version, comparator, -1)
    case '~':
      return isWithin(2, order, version, comparator)
    case '^':
      return isCompatible(order, version, comparator)
    default:
      return isExact
  }
}

/** Whether the version is above (1) or below (-1) all that the comparator stands for: `>1` means from 2.0.0 on. */
function isBeyond(order: number, version: Parts, { core, pre }: Parts, side: 1 | -1): boolean {
  if (order !== 0) return order === side
  return core.length === 3 && Math.sign(comparePre(version.pre, pre)) === side
}

function isCompatible(order: number, version: Parts, comparator: Parts): boolean {
  const { core } = comparator
  const [major, minor] = core
  if (core.length === 3) {
    return isWithin(major !== '0' ? 1 : minor !== '0' ? 2 : 3, order, version, comparator)
  }
  // where numbers are open, pre-releases are left to the last test
  return order >= 0 && startsAlike(major !== '0' ? 1 : 2, version, core)
}

/** Whether the version has the comparator's first `kept` numbers and is not below it. */
function isWithin(kept: number, order: number, version: Parts, { core, pre }: Parts): boolean {
  if (!startsAlike(kept, version, core)) return false
  return order === 0 ? comparePre(version.pre, pre) >= 0 : order > 0
}

function startsAlike(kept: number, version: Parts, core: readonly string[]): boolean {
  return core.slice(0, kept).every((number, index) => number === version.core[index])
}

/** How the version's numbers compare with those that the comparator gives. */
function compareCore(version: Parts, comparator: Parts): -1 | 0 | 1 {
  for (const [index, wanted] of comparator.core.entries()) {
    const number = version.core[index] ?? ''
    if (number === wanted) continue
    // without leading zeros the longer number is the greater one
    const isGreater = number.length === wanted.length ? number > wanted : number.length > wanted.length
    return isGreater ? 1 : -1
  }
  return 0
}

function comparePre(a: string, b: string): number {
  return a === b ? 0 : compareVersions(`0.0.0${a}`, `0.0.0${b}`)
}
