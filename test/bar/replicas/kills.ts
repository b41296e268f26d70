import { setTimeout as sleep } from 'node:timers/promises'
import { between, pick, randomFrom } from '../../support/random.ts'
import { exactly, type Figure, note } from '../figures.ts'
import { createHistory } from '../history.ts'
import { publishOn } from '../kill-random.ts'
import { problemFigures } from '../last-figures.ts'
import { type Context, type Place, startReplicas } from './place.ts'

const SEED = 20_261_127
const CRATES = 4
const LONGEST_LIFE_MS = 400
/** A change is visible everywhere by then. */
const VISIBLE_MS = 1_100

export interface ReplicaKillSpec {
  readonly kills: number
  readonly publishers: number
}

/** One of two replicas is killed at any time while clients publish to both, and both are asked what they know. */
export async function replicaKillFigures(
  context: Context,
  place: Place,
  { kills, publishers }: ReplicaKillSpec,
): Promise<readonly Figure[]> {
  const random = randomFrom(SEED)
  const replicas = await startReplicas(context, place)
  const history = createHistory(replicas[0])
  const problems: string[] = []
  let answered = 0
  for (let round = 0; round < kills; round++) {
    const names = Array.from({ length: CRATES }, (_, n) => `round-${round}-${n}`)
    const victim = pick(random, replicas)
    let isOver = false
    const clients = Array.from({ length: publishers }, (_, nth) =>
      publishOn(history, names[(nth >> 1) % CRATES] ?? '', nth, replicas[nth % 2 ? 1 : 0], () => isOver),
    )
    await sleep(between(random, 5, LONGEST_LIFE_MS))
    await victim.kill()
    isOver = true
    for (const count of await Promise.all(clients)) answered += count
    await Promise.all([victim.start(), sleep(VISIBLE_MS)])
    for (const replica of replicas)
      problems.push(...(await history.check(names, replica)).map((it) => `round ${round}: ${it}`))
  }
  await Promise.all(replicas.map((replica) => replica.restart()))
  const lost: string[] = []
  for (const replica of replicas) lost.push(...(await history.check(undefined, replica)))
  const { isWell, text } = await replicas[0].verify()
  const title = `${place.name}: kill -9 of a replica among ${publishers} publishers`
  return [
    note(`${title}: kills`, String(kills)),
    note(`${title}: changes answered, publishes acknowledged`, `${answered}, ${history.acknowledged()}`),
    exactly(`${title}: lost, half-visible or wrong after a kill`, problems.length, 0),
    exactly(`${title}: the same in the end, on both replicas`, lost.length, 0),
    exactly(`${title}: runs of \`verify\` with findings`, isWell ? 0 : 1, 0),
    ...(isWell ? [] : [note('verify', text.replaceAll('\n', '; '))]),
    ...problemFigures([...problems, ...lost]),
  ]
}
