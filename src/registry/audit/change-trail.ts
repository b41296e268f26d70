import { CargoError } from '../../errors.ts'
import type { Logger } from '../../host.ts'
import { type AuditEntry, changeEntry } from '../../protocol/audit-entry.ts'
import { type AuditQuery, invalidCursor } from '../../protocol/audit-query.ts'
import { canonicalName, isValidName } from '../../protocol/name.ts'
import { readChange } from '../crate-log-reader.ts'
import { fewAtATime } from '../few-at-a-time.ts'
import { CHANGES_PREFIX, changeKey, changesPrefix, numberOf } from '../keys.ts'
import type { RegistryStorage } from '../reliable-storage.ts'
import type { TrailObject } from './page.ts'

export interface TrailDeps {
  readonly storage: RegistryStorage
  readonly logger: Logger
}

/** Change `n` of a crate; the name is canonical. */
interface ChangePlace {
  readonly name: string
  readonly n: number
}

/** The changes of all crates, or of one, in the order of their keys, also of crates that were removed. */
export async function* changeTrail(
  deps: TrailDeps,
  { crate, after }: AuditQuery,
): AsyncGenerator<TrailObject> {
  const prefix = crate === undefined ? CHANGES_PREFIX : changesPrefix(crate)
  const from = after === undefined ? {} : { after: keyAfter(after) }
  const spelling = spellings(deps)
  async function* places(): AsyncGenerator<ChangePlace> {
    for await (const { key } of deps.storage.list(prefix, from)) {
      const [name, n] = [key.split('/').at(-2) ?? '', numberOf(key) ?? 0]
      if (n > 0 && changeKey(name, n) === key) yield { name, n }
    }
  }
  for await (const [{ name, n }, entry] of fewAtATime(places(), (place) => readEntry(deps, place, spelling)))
    yield [[`${name}/${n}`, entry]]
}

function keyAfter(after: string): string {
  const [, name = '', n] = /^([a-z0-9_]{1,64})\/([1-9]\d{0,7})$/.exec(after) ?? []
  if (!isValidName(name) || canonicalName(name) !== name) throw invalidCursor(after)
  return changeKey(name, Number(n))
}

/** That a change is damaged belongs into the audit, and must not end it. */
async function readEntry(
  { storage, logger }: TrailDeps,
  { name, n }: ChangePlace,
  spelling: (name: string) => Promise<string>,
): Promise<AuditEntry | undefined> {
  try {
    const change = await readChange(storage, name, n)
    if (change === undefined) return undefined
    return changeEntry(change.kind === 'publish' ? change.entry.name : await spelling(name), n, change)
  } catch (error) {
    if (!(error instanceof CargoError) || error.code !== 'internal') throw error
    logger.error({ err: error, crate: name, n }, 'integrity: a stored change is damaged')
    return { kind: 'damaged', crate: name, n, detail: { problem: error.message } }
  }
}

/** How the first publish of a crate spelled it, which the other changes do not say. */
function spellings({ storage }: TrailDeps): (name: string) => Promise<string> {
  const known = new Map<string, Promise<string>>()
  const look = async (name: string) => {
    const first = await readChange(storage, name, 1).catch((error: unknown) => {
      if (error instanceof CargoError && error.code === 'internal') return undefined
      throw error
    })
    return first?.kind === 'publish' ? first.entry.name : name
  }
  return (name) => {
    const found = known.get(name) ?? look(name)
    known.set(name, found)
    return found
  }
}
