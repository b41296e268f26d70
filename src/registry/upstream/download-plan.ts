import type { IndexDep, IndexEntry } from '../../protocol/index-entry.ts'
import { pickVersion } from '../../protocol/lookahead.ts'
import {
  createGraphGuess,
  type GraphGuess,
  type GuessedCrate,
  type GuessedVersion,
  isFromHere,
} from './graph-guess.ts'

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
  return [...guess.versions()]
}

/** Names that some file that was read depends on, if only with a feature: they may be there for that reason. */
function mentionedIn(files: ReadFiles): ReadonlySet<string> {
  const names = new Set<string>()
  for (const entries of files.values()) {
    // The one published last will do.
    for (const dep of entries.at(-1)?.deps ?? []) if (dep.kind !== 'dev') names.add(nameOf(dep))
  }
  return names
}

function rootOf(name: string, files: ReadFiles, known: KnownVersions): GuessedCrate {
  const entries = files.get(name) ?? []
  const fitting = () =>
    entries.filter((entry) => entry.deps.every((dep) => !isRequired(dep) || files.has(nameOf(dep))))
  const version = known.get(name) ?? (pickVersion(fitting()) ?? pickVersion(entries))?.vers
  const wanted = { features: [], defaultFeatures: true }
  return { name, wanted: version === undefined ? wanted : { ...wanted, req: `=${version}` } }
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

/** Whether a version cannot do without a crate, given in lower case. */
export function needs(entry: IndexEntry, name: string): boolean {
  return entry.deps.some((dep) => isRequired(dep) && nameOf(dep) === name)
}

function isRequired(dep: IndexDep): boolean {
  return !dep.optional && dep.kind !== 'dev' && isFromHere(dep.registry)
}

function nameOf(dep: IndexDep): string {
  return (dep.package ?? dep.name).toLowerCase()
}
