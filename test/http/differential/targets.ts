import type { ServedRoute } from '../../../src/http/routes.ts'
import { publishBody } from '../../support/crate-file.ts'
import { indexParts, type Subject, subjectFile } from './subjects.ts'

/** A path that something is served at, with the methods it is served for and what they want to be sent. */
export interface Target {
  /** Relative to the mount. */
  readonly path: string
  readonly methods: ReadonlySet<string>
  readonly bodies: Readonly<Record<string, Buffer>>
  /** Whether the path names the crate; the others are the same for every crate. */
  readonly namesCrate: boolean
}

const VERSION = '1.0.0'
/** What stands for a parameter of which nothing is known. */
const ANYTHING = 'x1'

/** Every path of the route table, for a crate of `index`; each once, however many methods it has. */
export function targetsOf(
  routes: readonly ServedRoute[],
  subject: Subject,
  index: string,
): readonly Target[] {
  const targets = new Map<string, Target>()
  for (const { method, path: pattern } of routes) {
    const path = fill(pattern, subject.name)
    if (path === undefined) continue
    const isPublish = path.endsWith('/crates/new')
    const namesCrate = isPublish || /:(crate|name)\b/.test(pattern)
    const bodies = bodiesFor(path, subject, isPublish ? index : undefined)
    const methods = new Set([...(targets.get(path)?.methods ?? []), method])
    targets.set(path, { path, methods, namesCrate, bodies })
  }
  return [...targets.values()]
}

/** `undefined` for the pattern of index files with longer or shorter names. */
function fill(pattern: string, name: string): string | undefined {
  const parts = indexParts(name)
  const wanted = pattern.split('/').filter((part) => [':first', ':second', ':name'].includes(part))
  if (pattern.includes(':first') && wanted.length !== parts.length) return undefined
  const values: Readonly<Record<string, string | undefined>> = {
    crate: name,
    version: VERSION,
    name: pattern.includes(':first') ? parts.at(-1) : name,
    first: parts[0],
    second: parts[1],
  }
  return pattern
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/[:*](\w+)/g, (_, parameter: string) => values[parameter] ?? ANYTHING)
}

function bodiesFor(
  path: string,
  subject: Subject,
  published: string | undefined,
): Readonly<Record<string, Buffer>> {
  if (published !== undefined) return { PUT: publishBody(subjectFile(subject, published)) }
  // Who owns it already: nothing changes, however often this is accepted.
  const owners = Buffer.from(JSON.stringify({ users: [subject.owner] }))
  return path.endsWith('/owners') ? { PUT: owners, DELETE: owners } : {}
}
