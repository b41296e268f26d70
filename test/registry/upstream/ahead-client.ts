import { setTimeout as sleep } from 'node:timers/promises'
import type { IndexEntry } from '../../../src/protocol/index-entry.ts'
import { createAhead } from '../../../src/registry/upstream/ahead.ts'
import { dep, file } from './index-files.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const FILES = [
  file('a', { '1.0.0': ['b', dep('w', { target: 'cfg(windows)' })] }),
  file('b', { '1.0.0': ['c'], '1.1.0': ['c'] }),
  file('c', { '1.0.0': [] }),
  file('w', { '1.0.0': [] }),
]

/** Fetching ahead of a client of an uplink that has these files. */
export function start({
  files = FILES,
  max = 100,
}: {
  files?: readonly (readonly IndexEntry[])[]
  max?: number
} = {}) {
  const known = new Map(files.map((entries) => [entries[0]?.name ?? '', entries]))
  const fetched: string[] = []
  const brought: string[] = []
  const outcomes: string[] = []
  const ahead = createAhead({
    max,
    logger,
    monotonic: () => 0,
    async entries(name) {
      fetched.push(name)
      const entries = known.get(name)
      return entries && { entries, fetched: true }
    },
    async bring(name, version) {
      brought.push(`${name}@${version}`)
      return true
    },
    onOutcome: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
  })
  const readers = new Map<string, () => readonly IndexEntry[]>()
  const ask = (name: string, client = 'ann') => {
    const read = readers.get(name) ?? (() => known.get(name) ?? [])
    readers.set(name, read)
    ahead.indexServed(client, name, read)
  }
  /** What a client does over HTTP/2: all of them are on their way before the first is served. */
  const askAtOnce = (...names: readonly string[]) => {
    const answered = names.map((name) => ahead.indexAsked('ann', name))
    for (const name of names) if (known.has(name)) ask(name)
    for (const done of answered) done()
  }
  return { ahead, ask, askAtOnce, fetched, brought, outcomes }
}

/** Lets what was begun end, timers of a few milliseconds included. */
export const settled = () => sleep(30)
