import { CargoError } from '../errors.ts'
import type { Action, HostAuth, Principal } from '../host.ts'
import { ALL_NAMES, type Options, type PackageRule } from '../options.ts'
import { unknownCrate } from '../protocol/decide.ts'
import type { Claimant } from '../protocol/ownership.ts'
import type { PackageRules } from './package-rules.ts'
import type { Soon } from './soon.ts'

/** Who asks, and through which address. */
export interface Caller {
  readonly principal: Principal | undefined
  /** The base URL of the registry as this caller sees it: mount included, no final slash. */
  readonly via: string
  /** Where the request came from: what one client asks one after another belongs together. */
  readonly address?: string
}

/** Decides what a caller may do: the rules of the options, the host's rules, and the scopes of the token must agree. */
export interface Access {
  /** Whether the caller may do this to the crate, or (without one) to any crate at all. */
  may(caller: Caller, action: Action, crate?: string): Soon<boolean>
  /** @throws {CargoError} `not_found`, the same as for a crate that does not exist */
  mustRead(caller: Caller, crate: string): Promise<void>
  /**
   * @throws {CargoError} `login_required` for nobody, `forbidden` for somebody, and `not_found` for those who may not
   * even read the crate
   */
  mustWrite(caller: Caller, action: Exclude<Action, 'read'>, crate?: string): Promise<Principal>
  /** The caller's right to read, for whoever asks about many crates. */
  reader(caller: Caller): Reader
  /** The principal as far as ownership of a crate is concerned. */
  claimant(caller: Caller, principal: Principal, crate: string): Promise<Claimant>
}

/** What one caller may read: both must agree. */
export interface Reader {
  byRule(rule: PackageRule): boolean
  /** What the token's scopes and the host say to a crate; absent: they refuse none. */
  readonly byName?: (crate: string) => Promise<boolean>
}

const AUTHENTICATED = new Set(['$authenticated', '@authenticated'])
const ANONYMOUS = new Set(['$anonymous', '@anonymous', 'undefined', 'anonymous'])

/** The access rules of `options`, on top of the host's own. */
export function createAccess(options: Options, rules: PackageRules, auth: HostAuth): Access {
  const isAdmin = (who: Principal | undefined) => who !== undefined && names(options.admins, who)

  function ruleAllows(who: Principal | undefined, action: Action, crate: string | undefined): boolean {
    if (action === 'admin') return isAdmin(who)
    if (crate === undefined) return Object.values(options.packages).some((rule) => grants(rule, action, who))
    const rule = rules.ruleFor(crate)?.rule
    return rule !== undefined && grants(rule, action, who)
  }

  async function hostAllows(who: Principal | undefined, action: Action, crate?: string): Promise<boolean> {
    try {
      return await auth.authorize(who, action, crate)
    } catch (error) {
      if (error instanceof CargoError) throw error
      throw new CargoError('unavailable', 'rights cannot be checked at the moment, try again later', {
        cause: error,
      })
    }
  }

  function may({ principal: who }: Caller, action: Action, crate?: string): Soon<boolean> {
    if (who?.may?.(action, crate) === false) return false
    const byRule =
      ruleAllows(who, action, crate) || (action !== 'read' && action !== 'publish' && isAdmin(who))
    if (!byRule || (action === 'read' && auth.allowsEveryRead)) return byRule
    return hostAllows(who, action, crate)
  }

  return {
    may,
    async mustRead(caller, crate) {
      if (!(await may(caller, 'read', crate))) throw unknownCrate(crate)
    },
    async mustWrite(caller, action, crate) {
      const { principal } = caller
      if (principal === undefined) {
        throw new CargoError(
          'login_required',
          `${action} needs a login: run \`cargo login\` with a token of this registry`,
        )
      }
      if (await may(caller, action, crate)) return principal
      if (crate !== undefined && !(await may(caller, 'read', crate)) && action !== 'publish')
        throw unknownCrate(crate)
      const what = crate === undefined ? 'in this registry' : `crate \`${crate}\``
      throw new CargoError(
        'forbidden',
        `user \`${principal.name}\` may not ${VERBS[action]} ${what}: the access rules or the token's scopes do not allow it`,
      )
    },
    reader({ principal: who }) {
      const byRule = (rule: PackageRule) => grants(rule, 'read', who)
      if (who?.may === undefined && auth.allowsEveryRead) return { byRule }
      const byName = async (crate: string) =>
        who?.may?.('read', crate) !== false && (await hostAllows(who, 'read', crate))
      return { byRule, byName }
    },
    async claimant(caller, principal, crate) {
      const admin = isAdmin(principal) && (await may(caller, 'admin'))
      const ownsByRule = options.ownership === 'rules' && (await may(caller, 'publish', crate))
      return { name: principal.name, groups: principal.groups, admin, ownsByRule }
    },
  }
}

const VERBS: Readonly<Record<Exclude<Action, 'read'>, string>> = {
  publish: 'publish',
  yank: 'yank versions of',
  owners: 'change the owners of',
  unpublish: 'remove',
  admin: 'administer',
}

function grants(rule: PackageRule, action: Action, who: Principal | undefined): boolean {
  switch (action) {
    case 'read':
      return names(rule.access, who)
    case 'publish':
    case 'yank':
    case 'owners':
      return rule.publish !== undefined && names(rule.publish, who)
    case 'unpublish':
      return rule.unpublish !== undefined && names(rule.unpublish, who)
    case 'admin':
      return false
  }
}

function names(list: readonly string[], who: Principal | undefined): boolean {
  return list.some((name) => {
    if (ALL_NAMES.has(name)) return true
    if (AUTHENTICATED.has(name)) return who !== undefined
    if (ANONYMOUS.has(name)) return who === undefined
    return who !== undefined && (who.name === name || who.groups.includes(name))
  })
}
