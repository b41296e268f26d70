import { isDeepStrictEqual } from 'node:util'
import { canonicalName } from '../../protocol/name.ts'
import type { CatalogueEntry } from '../catalogue/entry.ts'
import type { Check } from './check.ts'
import { readCatalogue, rebuildCatalogue, type StoredCatalogue } from './stored-catalogue.ts'

/** What changed so recently may be on its way into the catalogue. */
const ON_ITS_WAY_MS = 60_000

/** A catalogue that is compared, crate by crate, with what the crates come to. */
export interface CatalogueScan {
  /**
   * What the catalogue is to say of a crate as it is since `at`; of several entries for one name, the highest number is
   * meant.
   */
  expect(entry: CatalogueEntry, at: string): void
  /** The crate is there, and nobody can tell what the catalogue is to say of it. */
  ignore(name: string): void
  /** Reports what is wrong, and mends it when that is asked for; `isKnown`: whether a name is there by now. */
  settle(isKnown: (name: string) => Promise<boolean>): Promise<void>
}

interface WrongEntry {
  /** Absent: there is to be none. */
  readonly entry?: CatalogueEntry
  readonly name: string
  readonly problem: string
  /** It may be on its way: nothing to report. */
  readonly isRecent?: boolean
}

/** Reads the catalogue in the folder `root`; what is added later is none of the matter. */
export async function scanCatalogue(check: Check, root: string): Promise<CatalogueScan> {
  const settledSince = check.now().getTime() - ON_ITS_WAY_MS
  const { entries, damaged } = await readCatalogue(check, root)
  const seen = new Set<string>()
  const agreed = new Set<string>()
  const wrong = new Map<string, WrongEntry>()
  /** Entries of an older version that say nothing wrong, and less than one would today. */
  const outdated = new Map<string, CatalogueEntry>()

  function expect(entry: CatalogueEntry, at: string): void {
    const key = canonicalName(entry.name)
    seen.add(key)
    const stored = entries.get(key)
    const problem = problemWith(stored, entry)
    if (problem === undefined) {
      agreed.add(key)
      if (stored?.n === entry.n && isOutdated(stored)) outdated.set(key, entry)
    } else if ((wrong.get(key)?.entry?.n ?? 0) < entry.n) {
      const isRecent = Date.parse(at) > settledSince
      wrong.set(key, { entry, name: entry.name, problem, isRecent })
    }
  }

  async function findUnknown(isKnown: (name: string) => Promise<boolean>): Promise<void> {
    for (const [key, { name }] of entries) {
      if (!seen.has(key) && !(await isKnown(name)))
        wrong.set(key, { name, problem: 'names a crate that is not there' })
    }
  }

  /** What is still wrong by now. */
  function stillWrong(now: StoredCatalogue): readonly WrongEntry[] {
    return [...wrong]
      .filter(([key, { entry }]) => {
        const found = now.entries.get(key)
        if (entry === undefined) return found !== undefined
        // Two uplinks may have a crate of this name, with copies of the same number.
        return !(agreed.has(key) && found?.n === entry.n) && problemWith(found, entry) !== undefined
      })
      .map(([, one]) => one)
  }

  return {
    expect,
    ignore: (name) => void seen.add(canonicalName(name)),
    async settle(isKnown) {
      await findUnknown(isKnown)
      if (wrong.size + damaged.size + (check.repair ? outdated.size : 0) === 0) return
      const now = await readCatalogue({ ...check, counts: { ...check.counts }, report() {} }, root)
      const corrections = stillWrong(now)
      const isDue = ({ entry }: WrongEntry) => check.isRestored === true && entry !== undefined
      const entered = corrections.filter(isDue).length
      const mistakes = corrections.filter((one) => !one.isRecent && !isDue(one))
      const renewed = [...outdated].flatMap(([name, entry]) =>
        now.entries.get(name)?.n === entry.n ? [{ name, entry }] : [],
      )
      const repaired = check.repair && entered + mistakes.length + now.damaged.size + renewed.length > 0
      if (repaired) await rebuildCatalogue(check.storage, root, now, [...renewed, ...corrections])
      if (repaired) check.counts.entered += entered
      const remedy = repaired ? 'written anew from the crates' : '`--repair` writes it anew from the crates'
      for (const [key, problem] of damaged) check.report({ crates: [], key, problem, remedy, repaired })
      for (const { name, problem } of mistakes)
        check.report({ crates: [name], key: `${root}/`, problem, remedy, repaired })
    },
  }
}

/** An entry that is newer than what was seen of its crate is none of the matter. */
function problemWith(entry: CatalogueEntry | undefined, wanted: CatalogueEntry): string | undefined {
  if (entry === undefined) return 'misses the crate'
  if (entry.n < wanted.n) return `has the crate as of change ${entry.n}, not ${wanted.n}`
  return entry.n > wanted.n || agrees(entry, wanted) ? undefined : 'says something else than the crate'
}

function isOutdated({ created }: CatalogueEntry): boolean {
  return created === undefined
}

/** What an older version stored may lack fields, and took the time when a copy came for that of its crate. */
function agrees(entry: CatalogueEntry, wanted: CatalogueEntry): boolean {
  if (!isOutdated(entry)) return isDeepStrictEqual(entry, wanted)
  const fields = new Map<string, unknown>(Object.entries(wanted))
  return Object.entries(entry).every(
    ([field, value]) => field === 'updated' || isDeepStrictEqual(value, fields.get(field)),
  )
}
