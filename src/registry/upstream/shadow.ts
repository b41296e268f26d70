import { CargoError } from '../../errors.ts'
import type { PackageRules } from '../package-rules.ts'
import type { Proxied } from './proxied.ts'
import type { UpstreamIndex } from './upstream-index.ts'

/** Of a name with more separators than this only the three usual spellings are asked for. */
const MAX_SEPARATORS = 5

export interface ShadowDeps {
  readonly rules: PackageRules
  readonly proxied: Pick<Proxied, 'uplinksOf'>
  readonly index: Pick<UpstreamIndex, 'read'>
}

/**
 * Judges the first publish of a name: a crate that an uplink has, in any spelling, would vanish behind the new one.
 * @returns warnings for the publisher
 * @throws {CargoError} `forbidden` when an uplink has it; `unavailable` when one cannot say and the rule is `strict`
 */
export async function checkShadow(
  { rules, proxied, index }: ShadowDeps,
  name: string,
): Promise<readonly string[]> {
  const shadow = rules.ruleFor(name)?.rule.shadow ?? 'refuse'
  if (shadow === 'allow') return []
  const asked = proxied
    .uplinksOf(name)
    .flatMap((uplink) => spellings(name).map((spelling) => ({ uplink, spelling })))
  const answers = await Promise.allSettled(
    asked.map(async ({ uplink, spelling }) => (await index.read(uplink, spelling)) && { uplink, spelling }),
  )
  const found = answers
    .map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined))
    .find(Boolean)
  if (found !== undefined) {
    throw new CargoError(
      'forbidden',
      `crate name \`${name}\` is taken: uplink \`${found.uplink.name}\` has a crate \`${found.spelling}\`, which could no longer be had from here; choose another name, or allow it with \`shadow: allow\` in the rule of this name`,
    )
  }
  const failure = answers.find((answer) => answer.status === 'rejected')
  if (failure === undefined) return []
  const reason = failure.reason instanceof Error ? failure.reason.message : String(failure.reason)
  if (shadow === 'strict') {
    throw new CargoError(
      'unavailable',
      `it cannot be checked whether crate name \`${name}\` is taken: ${reason}`,
      { cause: failure.reason },
    )
  }
  return [`it could not be checked whether an uplink has a crate \`${name}\` too: ${reason}`]
}

/** The ways to spell a name with `-` and `_`: of all of them a registry has one at most, but which? */
export function spellings(name: string): readonly string[] {
  const parts = name.toLowerCase().split(/[-_]/)
  if (parts.length - 1 > MAX_SEPARATORS) {
    return [...new Set([name.toLowerCase(), parts.join('-'), parts.join('_')])]
  }
  const [head = '', ...rest] = parts
  return rest.reduce((names, part) => names.flatMap((one) => [`${one}-${part}`, `${one}_${part}`]), [head])
}
