import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { redisServer } from '../hosts/redis-server.ts'
import { generatedWorkspace } from '../support/generated-workspace.ts'
import { ensureTools, requireCargo } from '../support/tools.ts'
import { serveUplink } from '../support/uplink.ts'
import { compiled } from './compiled.ts'
import { rotate } from './contest.ts'
import { madeOn } from './kept.ts'
import { renderMarkdown } from './markdown.ts'
import { OTHER_REGISTRIES } from './other-registries.ts'
import { type Contestant, MEASURES, measureRound, reasonOf } from './peer-rounds.ts'
import { startRegistry, TOKEN } from './registry.ts'
import { median } from './rows.ts'

const FILE = join(import.meta.dirname, 'PEERS.md')
const LATENCY_MS = 20
/** Fewer crates than elsewhere: some registries take long to have them published. */
const LAYERS = [12, 9, 6, 4]
const DL = '{origin}/api/v1/crates/{crate}/{version}/download'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** Milliseconds of each load. */
    load: { type: 'string', default: '2000' },
    publishes: { type: 'string', default: '200' },
    /** Only those whose names contain it. */
    only: { type: 'string', default: '' },
    /** Does not keep the table. */
    dry: { type: 'boolean', default: false },
  },
})

await requireCargo()
await ensureTools(['wrk', 'redis-server'])
const folder = await mkdtemp(join(tmpdir(), 'cargo-peers-'))
const workspace = generatedWorkspace(1, LAYERS)
const redis = await redisServer()
const uplink = await serveUplink({ crates: workspace.crates, latencyMs: LATENCY_MS, dl: DL })
try {
  await measure()
} finally {
  await uplink.close()
  await redis.close()
  await rm(folder, { recursive: true, force: true })
}

async function measure(): Promise<void> {
  const { contestants, missing } = await gather()
  const rounds = Number(flags.rounds)
  const spec = { folder, workspace, loadMs: Number(flags.load), publishes: Number(flags.publishes) }
  for (let round = 0; round < rounds; round++) {
    for (const contestant of rotate(contestants, round)) {
      process.stderr.write(`round ${round + 1} of ${rounds}: ${contestant.name}\n`)
      await measureRound(contestant, spec)
    }
  }
  const text = [
    '# Beside other registries',
    `Written by \`npm run bench:peers\` ${await madeOn()}.`,
    `${rounds} rounds in rotation, loads of ${spec.loadMs / 1000} s over 32 connections, each from an empty registry on; the medians, and in brackets what we are of them. A workspace of ${workspace.locked} crates is fetched over http: cold from an uplink ${LATENCY_MS} ms away, warm from the registry (those that proxy nothing have it published). Each as it is by default; ours with metrics, a log of all requests and Redis.`,
    tableOf(contestants),
    ...contestants.flatMap(reasons),
    ...missing.map(({ name, reason }) => `${name} could not be had: ${reason}`),
  ].join('\n\n')
  process.stdout.write(`${text}\n`)
  if (!flags.dry) await writeFile(FILE, `${text.trimEnd()}\n`)
}

/** Us, and those that compile. */
async function gather() {
  const contestants: Contestant[] = [{ name: 'ours', results: new Map(), start: startOurs }]
  const missing: { name: string; reason: string }[] = []
  for (const registry of OTHER_REGISTRIES.filter(({ name }) => name.includes(flags.only))) {
    const name = `${registry.name} ${registry.version}`
    try {
      const program = await compiled(registry)
      const start = (place: string) => registry.start(program, { folder: place, uplink: uplink.origin })
      // Whether it starts at all.
      await (await start(await mkdtemp(join(folder, 'first-')))).stop()
      contestants.push({ name, results: new Map(), start })
    } catch (error) {
      missing.push({ name, reason: reasonOf(error) })
    }
  }
  return { contestants, missing }
}

async function startOurs(place: string) {
  await mkdir(join(place, 'data'))
  const uplinks = { near: uplink.url }
  const server = await startRegistry({
    name: 'ours',
    folder: place,
    redis: redis.url,
    uplinks,
    open: true,
    h2c: true,
  })
  await redis.command('FLUSHALL')
  return { ...server, api: server.url, headers: { Authorization: TOKEN }, proxied: server.url }
}

function tableOf(contestants: readonly Contestant[]): string {
  const [ours] = contestants
  return renderMarkdown(
    ['', ...contestants.map(({ name }) => name)],
    MEASURES.map((what) => [
      what,
      ...contestants.map((contestant) => {
        const [values, own] = [contestant.results.get(what), ours?.results.get(what)]
        if (!Array.isArray(values) || !Array.isArray(own)) return '–'
        const value = median(values)
        const text = value < 100 ? value.toFixed(2) : Math.round(value).toLocaleString('en')
        return contestant === ours ? text : `${text} (${(median(own) / value).toFixed(2)})`
      }),
    ]),
  )
}

function reasons({ name, results }: Contestant): readonly string[] {
  return [...results].flatMap(([what, result]) =>
    typeof result === 'string' ? [`${name}, ${what.replace(/:.*/, '')}: ${result}`] : [],
  )
}
