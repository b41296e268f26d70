import type { Logger } from '../host.ts'
import type { Options } from '../options.ts'
import type { IndexEntry } from '../protocol/index-entry.ts'
import type { CrateRecord } from '../protocol/record.ts'
import type { Caller } from './access.ts'
import type { CrateLog } from './crate-log.ts'
import { type AheadOutcome, createAhead } from './upstream/ahead.ts'
import { createAheadOnMiss } from './upstream/ahead-on-miss.ts'
import type { ReadEntries } from './upstream/client-graph.ts'
import type { ServedIndex, Upstream } from './upstream/upstream.ts'

/** Fetches ahead of callers, whatever is local and whatever is not. */
export interface AheadOfCallers {
  /** The caller, who may read the crate, asks for an index file; to be told of the end, whatever it is. */
  indexAsked(caller: Caller, name: string): () => void
  servedLocal(caller: Caller, record: CrateRecord): void
  servedUpstream(caller: Caller, name: string, served: Pick<ServedIndex, 'entries' | 'missed'>): void
  /** The caller waits, or has waited, for what was not here; until then nothing is fetched ahead. */
  missed(caller: Caller): void
  crateAsked(caller: Caller, name: string, version: string): void
  close(): Promise<void>
}

export interface AheadOfCallersDeps {
  readonly options: Options
  readonly log: CrateLog
  readonly upstream: Upstream
  readonly logger: Logger
  readonly monotonic: () => number
  onOutcome(kind: 'index' | 'crate', outcome: AheadOutcome): void
}

export function createAheadOfCallers(deps: AheadOfCallersDeps): AheadOfCallers {
  const { options, log, upstream } = deps
  const hasUplinks = !options.offline && Object.keys(options.uplinks).length > 0
  const max = hasUplinks ? options.prefetch : 0
  if (max === 0) return nothingAhead
  const everywhere = createAhead({
    max,
    logger: deps.logger,
    monotonic: deps.monotonic,
    async entries(name) {
      const { record } = await log.read(name)
      if (record !== undefined) return { entries: entriesOf(record), fetched: false }
      const served = await upstream.index(name)
      return served && { entries: served.entries, fetched: served.asked }
    },
    bring: async (name, version) =>
      (await log.read(name)).record === undefined && (await upstream.bring(name, version)),
    onOutcome: deps.onOutcome,
  })
  const ahead = createAheadOnMiss(everywhere)
  const missed = (caller: Caller) => ahead.missed(clientOf(caller))
  return {
    indexAsked: (caller, name) => ahead.indexAsked(clientOf(caller), name),
    servedLocal: (caller, record) =>
      ahead.indexServed(clientOf(caller), record.name, weakly(record, entriesOf)),
    servedUpstream(caller, name, { entries, missed: hasMissed }) {
      if (hasMissed) missed(caller)
      ahead.indexServed(
        clientOf(caller),
        name,
        weakly(entries, (of) => of),
      )
    },
    missed,
    crateAsked: (caller, name, version) => ahead.crateAsked(clientOf(caller), name, version),
    close: ahead.close,
  }
}

const nothingAhead: AheadOfCallers = {
  indexAsked: () => () => {},
  servedLocal() {},
  servedUpstream() {},
  missed() {},
  crateAsked() {},
  async close() {},
}

/** Whose requests belong together: a person's on one machine. */
function clientOf({ principal, address = '' }: Caller): string {
  return `${address} ${principal?.name ?? ''}`
}

function entriesOf(record: CrateRecord): readonly IndexEntry[] {
  return [...record.versions.values()].map(({ entry }) => entry)
}

const readers = new WeakMap<object, ReadEntries>()

/** Something of a value as long as others keep that in memory; the same function for the same value. */
function weakly<T extends object>(value: T, of: (value: T) => readonly IndexEntry[]): ReadEntries {
  const known = readers.get(value)
  if (known !== undefined) return known
  const ref = new WeakRef(value)
  const read = () => {
    const kept = ref.deref()
    return kept && of(kept)
  }
  readers.set(value, read)
  return read
}
