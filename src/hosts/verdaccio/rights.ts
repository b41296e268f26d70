import picomatch from 'picomatch'
import { CargoError } from '../../errors.ts'
import type { Action } from '../../host.ts'
import type { PackageAccess, RemoteUser, VerdaccioAuth } from './api.ts'

/** What a crate is called in Verdaccio's `packages`: no npm package can have such a name. */
const PREFIX = 'cargo/'

const ANONYMOUS: RemoteUser = { groups: ['$all', '$anonymous', '@all', '@anonymous'] }

/** Rules in the plugin's own words: crates without the prefix, lists as Verdaccio normalises them. */
export type CrateRules = Readonly<Record<string, PackageAccess>>

/** Answers whether somebody may do something to a crate. */
export type Rights = (user: RemoteUser | undefined, action: Action, crate: string) => Promise<boolean>

/**
 * Rights as the host's auth plugins see them, by the host's `packages` or by rules of one's own.
 * All spellings of a name are asked about as one, against patterns that are folded alike, so that a rule for `a_b` is
 * one for `a-b`.
 */
export function verdaccioRights(auth: VerdaccioAuth, own: CrateRules | undefined): Rights {
  const packages = folded(own === undefined ? auth.config.packages : prefixed(own))
  const config = Object.create(auth.config, { packages: { value: packages } })
  // Its methods read the rules off `this`.
  const view: VerdaccioAuth = Object.create(auth, { config: { value: config } })
  return async (user = ANONYMOUS, action, crate) => {
    const of = { packageName: PREFIX + fold(crate) }
    switch (action) {
      case 'read':
        return ask((callback) => view.allow_access(of, user, callback))
      case 'publish':
      case 'yank':
      case 'owners':
        return ask((callback) => view.allow_publish(of, user, callback))
      case 'unpublish':
        return ask((callback) => view.allow_unpublish(of, user, callback))
      case 'admin':
        return true
    }
  }
}

/** The rules that a name below `cargo/` can meet, in their order; for questions that no single name answers. */
export function cargoRules(packages: Readonly<Record<string, PackageAccess>>): readonly PackageAccess[] {
  const reached: PackageAccess[] = []
  for (const [pattern, rule] of Object.entries(packages)) {
    if (meetsCrates(pattern)) reached.push(rule)
    if (/^(\*\*|cargo\/\*{1,2}|\*\/\*{1,2})$/.test(pattern)) break
  }
  return reached
}

/** A pattern for other scopes, such as `@corp/*`, says nothing of crates. */
function meetsCrates(pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('/')
  if (rest.length === 0 || first.includes('**')) return first.includes('**')
  return picomatch.isMatch('cargo', first, { nocase: true })
}

function ask(question: (callback: (error: unknown, allowed?: boolean) => void) => void): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const answer = (error: unknown, allowed?: boolean) => {
      if (error === null || error === undefined) return resolve(allowed === true)
      const { status } = error as { readonly status?: number }
      // A refusal is told as an error, with the reason in words about packages.
      if (status === 401 || status === 403 || status === 404) return resolve(false)
      reject(
        new CargoError('unavailable', 'rights cannot be checked at the moment, try again later', {
          cause: error,
        }),
      )
    }
    try {
      question(answer)
    } catch (cause) {
      answer(cause)
    }
  })
}

function prefixed(rules: CrateRules): Readonly<Record<string, PackageAccess>> {
  return Object.fromEntries(Object.entries(rules).map(([glob, rule]) => [PREFIX + glob, rule]))
}

/** The first of several patterns that fold to the same is the one that counted anyway. */
function folded(packages: Readonly<Record<string, PackageAccess>>): Readonly<Record<string, PackageAccess>> {
  const rules = new Map<string, PackageAccess>()
  for (const [pattern, rule] of Object.entries(packages)) {
    const key = fold(pattern)
    if (!rules.has(key)) rules.set(key, rule)
  }
  return Object.fromEntries(rules)
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}
