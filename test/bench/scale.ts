import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { indexPath } from '../../src/protocol/name.ts'
import { publishBody } from '../support/crate-file.ts'
import { ensureTools } from '../support/tools.ts'
import { newCrate } from './crates.ts'
import { manyCrates } from './scale-crates.ts'
import { flatTable } from './scale-flat.ts'
import { type ScaleServer, startOver } from './scale-server.ts'
import { writeStore } from './scale-store.ts'
import { versionsTable } from './scale-versions.ts'
import { publish } from './stage.ts'
import { timed } from './timed.ts'
import { upload } from './uploads.ts'

const { values: flags } = parseArgs({
  options: {
    /** How many crates, one registry for each; the largest is compared with the smallest. */
    crates: { type: 'string', default: '1000,100000,1000000' },
    rounds: { type: 'string', default: '40' },
    /** Only the rows about many versions of one crate. */
    versions: { type: 'boolean', default: false },
  },
})
const ROUNDS = Number(flags.rounds)
/** Rounds of searches that count for nothing. */
const WARM_UP = 2

await ensureTools(['wrk'])
const folder = await mkdtemp(join(tmpdir(), 'cargo-scale-'))
try {
  if (!flags.versions) await measureGrowth(flags.crates.split(',').map(Number))
  print(`\n${await versionsTable(folder, ROUNDS)}`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Registries of many crates, each for itself and then the largest beside the smallest. */
async function measureGrowth(counts: readonly number[]): Promise<void> {
  const stores = new Map(counts.map((count) => [count, join(folder, String(count))]))
  for (const [count, data] of stores) await measureCrates(count, data)
  if (stores.size > 1) print(`\n${await flatTable(folder, stores)}`)
  for (const data of stores.values()) await rm(data, { recursive: true, force: true })
}

/** A registry of many crates: its start, its first search, and searches while it is in use. */
async function measureCrates(count: number, data: string): Promise<void> {
  await writeStore(data, count)
  const server = await startOver(folder, data)
  try {
    const idle = await server.memory()
    await server.use()
    const first = await timed(`${server.url}/api/v1/crates?q=tokio`)
    const loaded = await server.use()
    const queries = mixedQueries(count)
    const searches = await whileInUse(server, count, queries)
    const { work, stall } = await server.use()
    const memory = await server.memory()
    await upload([publish(server, publishBody(newCrate('bench-change')))])
    const changed = await timed(`${server.url}/api/v1/crates?sort=recent-updates`)
    print(`\n${count.toLocaleString('en')} crates\n`)
    table([
      ['start to the first answers', ms(server.started)],
      ['first search', ms(first)],
      ['longest stall during it', ms(loaded.stall)],
      ...Object.entries(searches.byKind).map(([kind, times]) => [
        `search, ${kind}: p50, p99`,
        `${ms(quantile(times, 0.5))}, ${ms(quantile(times, 0.99))}`,
      ]),
      ['all searches: p50, p99', `${ms(quantile(searches.all, 0.5))}, ${ms(quantile(searches.all, 0.99))}`],
      ['list of all crates after a change', ms(changed)],
      ['processor time of a search', ms((work - loaded.work - searches.indexWork) / searches.asked)],
      [
        'index 304 meanwhile: p50, p99',
        `${ms(quantile(searches.index, 0.5))}, ${ms(quantile(searches.index, 0.99))}`,
      ],
      ['longest stall', ms(stall)],
      ['first summary', ms(await timed(`${server.url}/api/v1/summary`))],
      [
        'memory: at the start, with all crates, the most',
        [idle.now, memory.now, memory.most].map(mb).join(', '),
      ],
    ])
  } finally {
    await server.stop()
  }
}

/** Kinds of searches, and one of each for each round. */
function mixedQueries(count: number): ReadonlyMap<string, readonly string[]> {
  const names: string[] = []
  for (const { entry } of manyCrates(Math.min(count, 10_000))) names.push(entry.name)
  const some = Array.from({ length: ROUNDS + WARM_UP }, (_, i) => names[(i * 7919) % names.length] ?? '')
  const words = ['compression', 'async', 'zero-copy', 'parser', 'HTTP', 'wasm', 'the']
  return new Map([
    ['a name', some.map((name) => `q=${name}`)],
    ['the beginning of names', some.map((name) => `q=${name.slice(0, 4)}`)],
    ['within names', some.map((name) => `q=${name.slice(1, 6)}&page=2`)],
    ['a word', some.map((_, i) => `q=${words[i % words.length]}`)],
    ['two words', some.map((_, i) => `q=${words[i % words.length]}+${words[(i + 3) % words.length]}`)],
    ['nothing', some.map((_, i) => `q=qqzx${i}`)],
    ['every crate', some.map((_, i) => `page=${i + 1}&sort=${i % 2 === 0 ? 'alpha' : 'recent-updates'}`)],
    ['a keyword', some.map((_, i) => `keyword=${['async', 'no-std', 'ffi'][i % 3]}`)],
  ])
}

interface Measured {
  readonly byKind: Readonly<Record<string, readonly number[]>>
  readonly all: readonly number[]
  readonly index: readonly number[]
  /** How many searches there were, those that count for nothing included. */
  readonly asked: number
  /** Processor time of the index requests, about, in milliseconds. */
  readonly indexWork: number
}

/** Searches, one after the other, while somebody else asks for index files. */
async function whileInUse(
  server: ScaleServer,
  count: number,
  queries: ReadonlyMap<string, readonly string[]>,
): Promise<Measured> {
  const [{ entry } = { entry: { name: '' } }] = manyCrates(count)
  const url = `${server.url}/${indexPath(entry.name)}`
  const etag = (await fetch(url)).headers.get('etag') ?? ''
  const ask = () => timed(url, { 'if-none-match': etag })
  const before = await server.use()
  for (let i = 0; i < 200; i++) await ask()
  const each = ((await server.use()).work - before.work) / 200
  let done = false
  const index: number[] = []
  const user = (async () => {
    while (!done) index.push(await ask())
  })()
  const byKind: Record<string, number[]> = {}
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    for (const [kind, some] of queries) {
      const taken = await timed(`${server.url}/api/v1/crates?${some[round]}`)
      byKind[kind] ??= []
      if (round >= WARM_UP) byKind[kind].push(taken)
    }
  }
  done = true
  await user
  const asked = (ROUNDS + WARM_UP) * queries.size
  return { byKind, all: Object.values(byKind).flat(), index, asked, indexWork: each * (index.length + 200) }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function table(rows: readonly (readonly string[])[]): void {
  print('| | |\n|---|---|')
  for (const row of rows) print(`| ${row.join(' | ')} |`)
}

function ms(value: number | undefined): string {
  return `${(value ?? Number.NaN).toFixed(1)} ms`
}

function mb(value: number): string {
  return `${Math.round(value)} MB`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
