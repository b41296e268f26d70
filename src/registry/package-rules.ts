import { crateMatcher } from '../name-glob.ts'
import type { Options, PackageRule } from '../options.ts'

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
}

export function createPackageRules({ packages }: Options): PackageRules {
  const rules = Object.entries(packages).map(([glob, rule]) => ({
    glob,
    rule,
    matches: crateMatcher([glob]),
  }))
  return { all: rules, ruleFor: (crate) => rules.find(({ matches }) => matches(crate)) }
}
