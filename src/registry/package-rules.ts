import { crateMatcher } from '../name-glob.ts'
import type { Options, PackageRule } from '../options.ts'
import { remembered } from './remembered.ts'

/** Names whose rule is remembered, until there are more: globs cost more than everything else that a warm answer does. */
const MAX_NAMES = 10_000

/** The rule that applies to a crate, and the glob it is written under. */
export interface AppliedRule {
  readonly glob: string
  readonly rule: PackageRule
}

/** The `packages` of the options: the first rule whose glob matches a name is the one. */
export interface PackageRules {
  /** In their order. */
  readonly all: readonly AppliedRule[]
  ruleFor(crate: string): AppliedRule | undefined
  /** The place of that rule in `all`, or -1: for those who go through many names, and remember the answers. */
  placeFor(crate: string): number
}

export function createPackageRules({ packages }: Options): PackageRules {
  const rules = Object.entries(packages).map(([glob, rule]) => ({
    glob,
    rule,
    matches: crateMatcher([glob]),
  }))
  const placeFor = (crate: string) => rules.findIndex(({ matches }) => matches(crate))
  return {
    all: rules,
    placeFor,
    ruleFor: remembered((crate): AppliedRule | undefined => rules[placeFor(crate)], MAX_NAMES),
  }
}
