import { setTimeout as sleep } from 'node:timers/promises'
import { between, pick, type Random, randomFrom } from '../../support/random.ts'
import { exactly, type Figure, note } from '../figures.ts'
import { createHistory, type History } from '../history.ts'
import { publishOn } from '../kill-random.ts'
import type { KillableServer } from '../killable-server.ts'
import { problemFigures } from '../last-figures.ts'
import { type Context, type Place, startReplicas } from './place.ts'

const SEED = 20_261_127
const CRATES = 4
const LONGEST_LIFE_MS = 600
/** A change is visible everywhere by then. */
const VISIBLE_MS = 1_100

export interface ReplicaKillSpec {
  readonly kills: number
  readonly publishers: number
  /** So many pairs of replicas work in the same place at a time, each with its own kills; default 1. */
  readonly pairs?: number
}

type Pair = readonly [KillableServer, KillableServer]

/** One of two replicas is killed at any time while clients publish to both, and both are asked what they know. */
export async function replicaKillFigures(
  context: Context,
  place: Place,
  { kills, publishers, pairs: count = 1 }: ReplicaKillSpec,
): Promise<readonly Figure[]> {
  const pairs = await Promise.all(Array.from({ length: count }, () => startReplicas(context, place)))
  const replicas = pairs.flat()
  const [first] = replicas
  if (first === undefined) throw new Error('no replica')
  const history = createHistory(first)
  const problems: string[] = []
  let [begun, answered] = [0, 0]
  async function killAll(pair: Pair, random: Random): Promise<void> {
    while (begun < kills) {
      const round = await killOnce({ pair, history, random, nth: begun++, publishers })
      problems.push(...round.problems)
      answered += round.answered
    }
  }
  await Promise.all(pairs.map((pair, nth) => killAll(pair, randomFrom(SEED + nth))))
  await Promise.all(replicas.map((replica) => replica.restart()))
  const lost = (await Promise.all(replicas.map((one) => history.check(undefined, one)))).flat()
  const { isWell, text } = await first.verify()
  const title = `${place.name}: kill -9 of a replica among ${publishers} publishers`
  return [
    note(`${title}: kills, pairs of replicas at work`, `${begun}, ${count}`),
    note(`${title}: changes answered, publishes acknowledged`, `${answered}, ${history.acknowledged()}`),
    exactly(`${title}: lost, half-visible or wrong after a kill`, problems.length, 0),
    exactly(`${title}: the same in the end, on all replicas`, lost.length, 0),
    exactly(`${title}: runs of \`verify\` with findings`, isWell ? 0 : 1, 0),
    ...(isWell ? [] : [note('verify', text.replaceAll('\n', '; '))]),
    ...problemFigures([...problems, ...lost]),
  ]
}

interface Round {
  readonly pair: Pair
  readonly history: History
  readonly random: Random
  readonly nth: number
  readonly publishers: number
}

async function killOnce({ pair, history, random, nth, publishers }: Round) {
  const names = Array.from({ length: CRATES }, (_, n) => `round-${nth}-${n}`)
  const victim = pick(random, pair)
  const survivor = pair[victim === pair[0] ? 1 : 0]
  let isOver = false
  const clients = Array.from({ length: publishers }, (_, by) =>
    publishOn(history, names[(by >> 1) % CRATES] ?? '', by, pair[by % 2 ? 1 : 0], () => isOver),
  )
  await sleep(between(random, 5, LONGEST_LIFE_MS))
  await victim.kill()
  isOver = true
  const answered = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0)
  const visible = sleep(VISIBLE_MS)
  await victim.start()
  // A process that has just begun trusts nothing that is older: everything has to be there at once.
  const problems = [...(await history.check(names, victim))]
  await visible
  problems.push(...(await history.check(names, survivor)))
  return { answered, problems: problems.map((it) => `round ${nth}: ${it}`) }
}
