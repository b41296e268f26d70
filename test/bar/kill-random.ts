import { setTimeout as sleep } from 'node:timers/promises'
import { crateFile } from '../support/crate-file.ts'
import { between, randomFrom } from '../support/random.ts'
import { exactly, type Figure, note } from './figures.ts'
import { createHistory, type History } from './history.ts'
import { startKillable } from './killable-server.ts'
import { lastFigures, problemFigures } from './last-figures.ts'
import type { RegistryAddress } from './registry-client.ts'

type Context = { after(done: () => Promise<void>): void }

const SEED = 20_261_126
const CRATES = 4
/** A publish takes some ten milliseconds: the server is killed among the first ones, or among later ones. */
const LONGEST_LIFE_MS = 400

export interface RandomKillSpec {
  readonly kills: number
  readonly publishers: number
}

/** The server is killed at any time while clients publish and yank, and looked at after the next start. */
export async function randomKillFigures(
  context: Context,
  { kills, publishers }: RandomKillSpec,
): Promise<readonly Figure[]> {
  const random = randomFrom(SEED)
  const server = await startKillable(context)
  const history = createHistory(server)
  const problems: string[] = []
  let answered = 0
  for (let round = 0; round < kills; round++) {
    const names = Array.from({ length: CRATES }, (_, n) => `round-${round}-${n}`)
    const clients = Array.from({ length: publishers }, (_, nth) =>
      publishOn(history, names[nth % CRATES] ?? '', nth),
    )
    await sleep(between(random, 5, LONGEST_LIFE_MS))
    await server.kill()
    for (const count of await Promise.all(clients)) answered += count
    await server.start()
    problems.push(...(await history.check(names)))
    const next = await history.publish(crateFile(names[0], '9.0.0'))
    if (next !== 200) problems.push(`round ${round}: the next publish is answered with ${next}`)
  }
  const title = `random kills among ${publishers} publishers`
  return [
    note(`${title}: kills`, String(kills)),
    note(`${title}: answers before them`, String(answered)),
    exactly(`${title}: lost, half-visible or wrong`, problems.length, 0),
    ...problemFigures(problems),
    ...(await lastFigures(title, server, history)),
  ]
}

/** Publishes one version after the other, and yanks every third, until the server is gone; how many were answered. */
export async function publishOn(
  history: History,
  name: string,
  publisher: number,
  through?: RegistryAddress,
  isOver = () => false,
): Promise<number> {
  for (let answered = 0; ; answered++) {
    if (isOver()) return answered
    const version = `1.${publisher}.${answered}`
    const crate = crateFile(name, version).add(`${name}-${version}/by`, `${publisher} ${'x'.repeat(2000)}`)
    if ((await history.publish(crate, through)) === undefined) return answered
    if (answered % 3 === 2 && (await history.yank(name, version, through)) === undefined) return answered + 1
  }
}
