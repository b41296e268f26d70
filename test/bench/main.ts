import { parseArgs } from 'node:util'
import { ensureTools, requireCargo } from '../support/tools.ts'
import { CALM, ENOUGH } from './calm.ts'
import { coldCases, crowdCase } from './cold-crates.ts'
import type { Case } from './contest.ts'
import { watchOthers } from './cpu.ts'
import { farCase } from './far-crates.ts'
import { fetchCases } from './fetches.ts'
import { type KeptRatios, keep, keptRatios } from './kept.ts'
import { CONNECTIONS } from './load.ts'
import { renderLoads } from './loads.ts'
import { QUICK, QUICK_UNTIL_MS, WHOLE } from './pace.ts'
import { publishCase } from './publishes.ts'
import { leftOut, quickRun } from './quick.ts'
import { readCases } from './reads.ts'
import { renderRows } from './rows.ts'
import { buildStage, type Stage } from './stage.ts'
import { publishStallCase, trafficStallCase } from './stalls.ts'

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
})
const pace = flags.quick ? QUICK : WHOLE
const ROUNDS = Number(flags.rounds ?? pace.rounds)
const shareOfOthers = watchOthers()
const SET_UP =
  'Ours has on what is on in production: reads need a login, rules of access, metrics, a log of all requests (in a file), Redis; local and proxied crates are asked for in turns. The others have nothing of that. Servers, clients and loads share the machine: only the ratios say anything.'

// Asked for first: without them a quick run would say nothing in the end.
const kept: KeptRatios = flags.quick ? await keptRatios() : new Map()
await requireCargo()
await ensureTools(['nginx', 'wrk', 'redis-server', 'openssl'])
const stage = await buildStage(pace)
try {
  await measure(stage)
} finally {
  await stage.endings.close()
}

async function measure(on: Stage): Promise<void> {
  const cases: readonly Case[] = [
    ...readCases(on, pace),
    ...coldCases(on),
    crowdCase(on),
    await farCase(on),
    publishCase(on, pace),
    publishStallCase(on),
    trafficStallCase(on, pace),
    ...(await fetchCases(on)),
  ]
  for (const it of cases) await it.warmUp?.()
  if (flags.quick) return measureQuickly(cases)
  for (let number = 0; number < ROUNDS; number++) {
    process.stderr.write(`round ${number + 1} of ${ROUNDS}\n`)
    for (const it of cases) await it.round(number)
  }
  const parts = partsOf(cases)
  process.stdout.write(`${parts.join('\n\n')}\n`)
  if (ROUNDS >= WHOLE.rounds) await keep(parts)
}

async function measureQuickly(cases: readonly Case[]): Promise<void> {
  const hasTime = () => performance.now() < QUICK_UNTIL_MS
  const spec = { rounds: ROUNDS, kept, hasTime, watchOthers }
  const worse = await quickRun(cases, spec)
  const others = `Others took ${Math.round(100 * shareOfOthers())} % of the processors' time. Rounds in which they took more than ${100 * CALM} % are judged only where fewer than ${ENOUGH} others were there.`
  const parts = [...partsOf(cases), leftOut(cases, spec), others]
  process.stdout.write(`${parts.join('\n\n')}\n`)
  for (const text of worse) process.stdout.write(`WORSE ${text}\n`)
  if (worse.length > 0) process.exitCode = 1
}

function partsOf(cases: readonly Case[]): readonly string[] {
  return [
    `${ROUNDS} rounds in rotation, loads of ${pace.loadMs / 1000} s over ${CONNECTIONS} connections; the medians of all rounds, and figures of these medians. ${SET_UP}`,
    renderRows(cases.flatMap((it) => it.rows())),
    'What everybody did under the loads:',
    renderLoads(cases.flatMap((it) => it.loads?.() ?? [])),
  ]
}
