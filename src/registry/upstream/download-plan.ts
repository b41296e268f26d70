import type { IndexDep, IndexEntry } from '../../protocol/index-entry.ts'
import { compatibleLine, newestOfLines, pickVersion } from '../../protocol/lookahead.ts'
import { compareVersions } from '../../protocol/version.ts'
import {
  createGraphGuess,
  type GraphGuess,
  type GuessedCrate,
  type GuessedVersion,
  isFromHere,
} from './graph-guess.ts'

/** Lines of compatible versions that people still name, such as `1`, `0.9` and `0.8`. */
const MAX_LINES = 8

/** Many hints ask, and entries never change. */
const required = new WeakMap<IndexEntry, readonly string[]>()

/** The index files that a client has read, by lower-case name. */
export type ReadFiles = ReadonlyMap<string, readonly IndexEntry[]>

/** Direct dependencies whose version the client has made known by downloading it. */
export type KnownVersions = ReadonlyMap<string, string>

/**
 * What a client is going to download, judged by the index files that it has read: a resolver reads those of all crates in
 * its graph, and of few others. Of a crate that nothing led to, a direct dependency, that version is taken whose
 * dependencies it has read. In cargo's order, as far as can be told: the last one first, each followed by what it needs.
 */
export function planDownloads(
  roots: Iterable<string>,
  files: ReadFiles,
  known: KnownVersions = new Map(),
): readonly GuessedVersion[] {
  const guess = createGraphGuess()
  const mentioned = mentionedIn(files)
  const take = (name: string) => {
    if (!guess.has(name)) follow(guess, files, rootOf(name, files, known))
  }
  const direct = [...roots].reverse()
  for (const name of direct) if (known.has(name) || !mentioned.has(name)) take(name)
  followOptional(guess, files)
  for (const name of [...direct, ...files.keys()]) take(name)
  return withoutRivals([...guess.versions()])
}

/** Of compatible versions cargo takes one: where two are guessed, something does not take the higher one. */
function withoutRivals(versions: readonly GuessedVersion[]): readonly GuessedVersion[] {
  const lowest = new Map<string, IndexEntry>()
  const lineOf = ({ name, entry }: GuessedVersion) => `${name}@${compatibleLine(entry.vers)}`
  for (const one of versions) {
    const rival = lowest.get(lineOf(one))
    if (rival === undefined || compareVersions(one.entry.vers, rival.vers) < 0)
      lowest.set(lineOf(one), one.entry)
  }
  return versions.filter((one) => lowest.get(lineOf(one)) === one.entry)
}

/** Names that some file that was read depends on, if only with a feature: they may be there for that reason. */
function mentionedIn(files: ReadFiles): ReadonlySet<string> {
  const names = new Set<string>()
  for (const entries of files.values()) {
    // The one that most people take will do.
    for (const dep of pickVersion(entries)?.deps ?? []) if (dep.kind !== 'dev') names.add(nameOf(dep))
  }
  return names
}

function rootOf(name: string, files: ReadFiles, known: KnownVersions): GuessedCrate {
  const version = known.get(name) ?? likeliest(name, files)?.vers
  const wanted = { features: [], defaultFeatures: true }
  return { name, wanted: version === undefined ? wanted : { ...wanted, req: `=${version}` } }
}

/** Of the versions that people may have named, the newest one of which most is there that it cannot do without. */
function likeliest(name: string, files: ReadFiles): IndexEntry | undefined {
  const entries = files.get(name) ?? []
  let [best, fewest] = [pickVersion(entries), Number.POSITIVE_INFINITY]
  for (const entry of newestOfLines(entries, MAX_LINES)) {
    const unread = countUnread(name, entry, files, fewest)
    if (unread < fewest) [best, fewest] = [entry, unread]
    if (fewest === 0) break
  }
  return best
}

/** How many files that a version cannot do without, directly or not, were not read; counts no farther than `max`. */
function countUnread(name: string, entry: IndexEntry, files: ReadFiles, max: number): number {
  const guess = createGraphGuess()
  const unread = new Set<string>()
  const stack: GuessedCrate[] = [
    { name, wanted: { req: `=${entry.vers}`, features: [], defaultFeatures: false } },
  ]
  for (let crate = stack.pop(); crate !== undefined && unread.size < max; crate = stack.pop()) {
    const entries = files.get(crate.name)
    if (entries === undefined) unread.add(crate.name)
    else stack.push(...guess.follow(crate, entries))
  }
  return unread.size
}

function follow(guess: GraphGuess, files: ReadFiles, root: GuessedCrate): void {
  const stack = [root]
  for (let crate = stack.pop(); crate !== undefined; crate = stack.pop()) {
    const entries = files.get(crate.name)
    if (entries !== undefined) stack.push(...guess.follow(crate, entries).toReversed())
  }
}

/** A file that was read for no reason known was read for a feature that somebody enables. */
function followOptional(guess: GraphGuess, files: ReadFiles): void {
  for (const { entry } of guess.versions()) {
    for (const dep of entry.deps) {
      const name = nameOf(dep)
      if (!dep.optional || dep.kind === 'dev' || guess.has(name) || !files.has(name)) continue
      const { req, features, default_features: defaultFeatures } = dep
      follow(guess, files, { name, wanted: { req, features, defaultFeatures } })
    }
  }
}

/** What a version cannot do without, in its order and in lower case. */
export function requiredNames(entry: IndexEntry): readonly string[] {
  const known = required.get(entry)
  if (known !== undefined) return known
  const names = entry.deps.filter(isRequired).map(nameOf)
  required.set(entry, names)
  return names
}

function isRequired(dep: IndexDep): boolean {
  return !dep.optional && dep.kind !== 'dev' && isFromHere(dep.registry)
}

function nameOf(dep: IndexDep): string {
  return (dep.package ?? dep.name).toLowerCase()
}
