import type { IndexEntry } from '../../protocol/index-entry.ts'
import { dependenciesOf, newestOfLines } from '../../protocol/lookahead.ts'
import type { ClientGraph } from './client-graph.ts'
import { requiredNames } from './download-plan.ts'
import { type GuessedCrate, isFromHere } from './graph-guess.ts'

/** Direct dependencies that a hint may be about: cargo asks layer by layer. */
const RECENT_ROOTS = 32
/** Lines of compatible versions that people still name, such as `1`, `0.9` and `0.8`. */
const MAX_LINES = 8

interface Need {
  readonly name: string
  readonly optional: boolean
}

/** Many hints ask, and entries never change. */
const needsKnown = new WeakMap<IndexEntry, readonly Need[]>()

/**
 * Why a client asks for an index file that nothing has led to, judged by the files that it had read by then: people enable
 * features of what they name themselves, or hold it to an older version.
 */
export function reasonsFor(graph: ClientGraph, name: string): readonly GuessedCrate[] {
  const enabling = graph.guess.enabling(name).filter((crate) => graph.read.has(crate.name))
  const direct = enabling.filter((crate) => graph.roots.has(crate.name))
  if (direct.length > 0) return direct
  const older = olderVersion(graph, name)
  return older === undefined ? enabling : [older]
}

/** A direct dependency whose newest version of an older line needs the crate. */
function olderVersion(graph: ClientGraph, name: string): GuessedCrate | undefined {
  for (const root of [...graph.roots].slice(-RECENT_ROOTS)) {
    const entries = graph.older.has(root) ? undefined : graph.read.get(root)?.()
    if (entries === undefined) continue
    const entry = newestOfLines(entries, MAX_LINES)
      .slice(1)
      .find((one) => isNextOf(graph, one, name))
    if (entry === undefined) continue
    graph.older.add(root)
    return { name: root, wanted: { req: `=${entry.vers}`, features: [], defaultFeatures: true } }
  }
  return undefined
}

/** Whether cargo, which asks for what a version needs in the order of its entry, would ask for this name now. */
function isNextOf({ asked, read }: ClientGraph, entry: IndexEntry, name: string): boolean {
  const needs = needsOf(entry)
  const position = needs.findIndex((one) => one.name === name)
  return (
    position >= 0 &&
    needs.slice(0, position).every((one) => one.optional || asked.has(one.name) || read.has(one.name))
  )
}

/** What a version needs as most people use it, in its order and in lower case. */
function needsOf(entry: IndexEntry): readonly Need[] {
  const known = needsKnown.get(entry)
  if (known !== undefined) return known
  const required = new Set(requiredNames(entry))
  const needs = dependenciesOf(entry, { features: [], defaultFeatures: true })
    .filter(({ registry }) => isFromHere(registry))
    .map((dep) => dep.name.toLowerCase())
    .map((name) => ({ name, optional: !required.has(name) }))
  needsKnown.set(entry, needs)
  return needs
}
