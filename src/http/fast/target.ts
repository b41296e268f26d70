import { type CrateName, indexPath, isValidName } from '../../protocol/name.ts'
import { hasToken } from '../../protocol/token-text.ts'
import { isValidSemver, type Version } from '../../protocol/version.ts'

/** URLs whose meaning is remembered, until there are more. */
const MAX_TARGETS = 20_000
/** Longer ones are of no crate. */
const MAX_URL = 300

/** What a URL is for, as far as cargo asks for it; `route` is the pattern of the ordinary route. */
export type Target =
  | { readonly kind: 'config'; readonly route: string }
  | { readonly kind: 'index'; readonly route: string; readonly name: CrateName }
  | {
      readonly kind: 'download'
      readonly route: string
      readonly name: CrateName
      readonly version: Version
    }

/** The targets of URLs below `mount`; `undefined` for all that are not written exactly as cargo writes them. */
export function createTargets(mount: string): (url: string) => Target | undefined {
  const known = new Map<string, Target>()
  return (url) => {
    const seen = known.get(url)
    if (seen !== undefined) return seen
    if (url.length > MAX_URL || !url.startsWith(`${mount}/`) || hasToken(url)) return undefined
    const target = targetOf(url.slice(mount.length))
    if (target === undefined) return undefined
    if (known.size >= MAX_TARGETS) known.clear()
    known.set(url, target)
    return target
  }
}

const DOWNLOAD = /^\/api\/v1\/crates\/([^/?%]+)\/([^/?%]+)\/download$/
const INDEX = /^(\/index)?\/((?:[12]|3\/[^/?%]|[^/?%]{2}\/[^/?%]{2})\/([^/?%]+))$/

function targetOf(path: string): Target | undefined {
  if (path === '/config.json' || path === '/index/config.json') return { kind: 'config', route: path }
  const [, name = '', version = ''] = DOWNLOAD.exec(path) ?? []
  if (isValidName(name) && isValidSemver(version))
    return { kind: 'download', route: '/api/v1/crates/:crate/:version/download', name, version }
  const [, root = '', place, crate = ''] = INDEX.exec(path) ?? []
  if (!isValidName(crate) || crate !== crate.toLowerCase() || place !== indexPath(crate)) return undefined
  const folders = crate.length < 3 ? '/:first' : '/:first/:second'
  return { kind: 'index', route: `${root}${folders}/:name`, name: crate }
}
