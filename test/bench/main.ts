import { parseArgs } from 'node:util'
import { ensureTools, requireCargo } from '../support/tools.ts'
import { coldCases, crowdCase } from './cold-crates.ts'
import type { Case } from './contest.ts'
import { fetchCase } from './fetches.ts'
import { keep, keptRatios, regression } from './kept.ts'
import { CONNECTIONS } from './load.ts'
import { renderLoads } from './loads.ts'
import { publishCase } from './publishes.ts'
import { readCases } from './reads.ts'
import { renderRows } from './rows.ts'
import { buildStage, type Stage } from './stage.ts'
import { publishStallCase, trafficStallCase } from './stalls.ts'

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
})
const quick = flags.quick
/** Of fewer rounds than these no results are kept. */
const WHOLE = 9
const ROUNDS = Number(flags.rounds ?? (quick ? 3 : WHOLE))
const LOAD_MS = quick ? 500 : 2_000
const PUBLISHES = quick ? 60 : 200
/** What seems to have become worse is measured so much longer before that is believed. */
const MORE_ROUNDS = 4
const SET_UP =
  'Ours has on what is on in production: reads need a login, rules of access, metrics, a log of all requests (in a file), Redis; local and proxied crates are asked for in turns. The others have nothing of that. Servers, clients and loads share the machine: only the ratios say anything.'

await requireCargo()
await ensureTools(['nginx', 'wrk', 'redis-server'])
const stage = await buildStage()
try {
  await measure(stage)
} finally {
  await stage.close()
}

async function measure(on: Stage): Promise<void> {
  const cases: readonly Case[] = [
    ...readCases(on, LOAD_MS),
    ...coldCases(on),
    crowdCase(on),
    publishCase(on, PUBLISHES),
    publishStallCase(on),
    trafficStallCase(on, LOAD_MS),
    await fetchCase(on),
  ]
  for (const it of cases) await it.warmUp?.()
  for (let number = 0; number < ROUNDS; number++) {
    process.stderr.write(`round ${number + 1} of ${ROUNDS}\n`)
    for (const it of cases) if (!quick || !it.isSlow || number === 0) await it.round(number)
  }
  const worse = quick ? await believed(cases) : []
  const parts = [
    `${ROUNDS} rounds in rotation, loads of ${LOAD_MS / 1000} s over ${CONNECTIONS} connections; the medians of all rounds, and figures of these medians. ${SET_UP}`,
    renderRows(cases.flatMap((it) => it.rows())),
    'What everybody did under the loads:',
    renderLoads(cases.flatMap((it) => it.loads?.() ?? [])),
  ]
  process.stdout.write(`${parts.join('\n\n')}\n`)
  if (!quick) return ROUNDS < WHOLE ? undefined : keep(parts)
  for (const text of worse) process.stdout.write(`WORSE ${text}\n`)
  if (worse.length > 0) process.exitCode = 1
}

/** What is worse than the kept ratios, and still is after more rounds. */
async function believed(cases: readonly Case[]): Promise<readonly string[]> {
  const kept = await keptRatios()
  const worse = (it: Case) => it.rows().flatMap((row) => regression(row, kept) ?? [])
  for (const it of cases) {
    for (let more = 0; more < (it.isSlow ? 2 : MORE_ROUNDS) && worse(it).length > 0; more++)
      await it.round(ROUNDS + more)
  }
  return cases.flatMap(worse)
}
