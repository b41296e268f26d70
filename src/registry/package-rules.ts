import { crateMatcher } from '../name-glob.ts'
import type { Options, PackageRule } from '../options.ts'

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
  const known = new Map<string, AppliedRule | undefined>()
  const placeFor = (crate: string) => rules.findIndex(({ matches }) => matches(crate))
  return {
    all: rules,
    placeFor,
    ruleFor(crate) {
      const seen = known.get(crate)
      if (seen !== undefined || known.has(crate)) return seen
      const rule = rules[placeFor(crate)]
      if (known.size >= MAX_NAMES) known.clear()
      known.set(crate, rule)
      return rule
    },
  }
}
