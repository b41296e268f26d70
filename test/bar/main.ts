import { bombFigures } from './bombs.ts'
import { crowdFigures } from './crowd.ts'
import { type Figure, note, renderFigures } from './figures.ts'
import { idleFigures } from './idle.ts'
import { randomKillFigures } from './kill-random.ts'
import { firstPublishFigures, walkFigures } from './kill-walk.ts'
import { largePublishFigures } from './large-publish.ts'
import { latencyFigures } from './latency.ts'
import { leakFigures } from './leaks.ts'
import { memoryFigures } from './memory.ts'
import { oracleFigures } from './oracle.ts'
import { publishesFigures } from './publishes.ts'
import { REPLICA_PARTS } from './replicas/parts.ts'
import { stormFigures } from './storm.ts'
import type { Context } from './storm-uplink.ts'
import { syncFailureFigures } from './sync-failure.ts'

const MiB = 1024 * 1024

type Part = (context: Context, count?: number) => Promise<readonly Figure[]>

/**
 * What is promised and takes long to show. `npm run bar -- memory kill` measures some parts of it, those of `kill` and
 * `replicas` being several; `npm run bar -- replicas-kills=60` has another count than usual, where there is one.
 */
const PARTS: Readonly<Record<string, Part>> = {
  crowd: (context) => crowdFigures(context, { clients: 500 }),
  latency: (context) => latencyFigures(context, { rounds: 15 }),
  storm: (context) => stormFigures(context, { requests: 100_000, maxFails: 0 }),
  breaker: (context) => stormFigures(context, { requests: 20_000, maxFails: 2 }),
  leaks: (context) => leakFigures(context, { each: 2_000 }),
  memory: (context) => memoryFigures(context, { streams: 20, bytes: 500 * MiB, slow: 4, slowMs: 30_000 }),
  idle: (context) => idleFigures(context, { connections: 10_000, reads: 5_000 }),
  publishes: (context, bodies = 100_000) => publishesFigures(context, { bodies }),
  bombs: (context) => bombFigures(context, { bytes: 9_400 * MiB, entries: 1_000_000 }),
  'large-publish': (context) => largePublishFigures(context, { bytes: 500 * MiB }),
  oracle: (context) => oracleFigures(context, { pairs: 2_000, tokens: 10_000, passwords: 1_000 }),
  'kill-walk': (context) => walkFigures(context),
  'kill-first': (context) => firstPublishFigures(context),
  'kill-syncs': (context) => syncFailureFigures(context),
  'kill-random': (context, kills = 600) => randomKillFigures(context, { kills, publishers: 8 }),
  ...REPLICA_PARTS,
}

const wanted = process.argv.slice(2).map((argument) => {
  const [name = '', count] = argument.split('=')
  return { name, ...(count !== undefined && { count: Number(count) }) }
})
let missed = 0
for (const [name, part] of Object.entries(PARTS)) {
  const asked = wanted.find((it) => name === it.name || name.startsWith(`${it.name}-`))
  if (wanted.length > 0 && asked === undefined) continue
  const begun = performance.now()
  const measuredFigures = await measured((context) => part(context, asked?.count))
  const seconds = (performance.now() - begun) / 1000
  const figures = [...measuredFigures, note(`time of all of ${name}`, `${seconds.toFixed(0)} s`)]
  missed += figures.filter(({ met }) => !met).length
  process.stdout.write(`${renderFigures(name, figures)}\n`)
}
process.exitCode = missed === 0 ? 0 : 1

async function measured(part: Part): Promise<readonly Figure[]> {
  const endings: (() => Promise<void>)[] = []
  try {
    return await part({ after: (ending) => void endings.push(ending) })
  } finally {
    for (const ending of endings) await ending()
  }
}
