import { setTimeout as sleep } from 'node:timers/promises'
import { crateFile } from '../../support/crate-file.ts'
import { sha256 } from '../../support/download.ts'
import { exactly, type Figure } from '../figures.ts'
import type { KillableServer } from '../killable-server.ts'
import { problemFigures } from '../last-figures.ts'
import { readIndex, sendCrate } from '../registry-client.ts'
import { type Context, type Place, startReplicas } from './place.ts'

/** A change is visible everywhere by then. */
const VISIBLE_MS = 1_100

export interface RaceSpec {
  readonly rounds: number
  /** At each of two replicas. */
  readonly writers: number
}

/** Many writers at two replicas, first all for one version, then each for one of its own. */
export async function raceFigures(
  context: Context,
  place: Place,
  { rounds, writers }: RaceSpec,
): Promise<readonly Figure[]> {
  const replicas = await startReplicas(context, place)
  const problems: string[] = []
  const winners = new Map<string, string>()
  for (let round = 0; round < rounds; round++) {
    const name = `raced-${round}`
    const answers = await race(replicas, name, writers)
    const won = answers.filter(({ status }) => status === 200)
    const odd = answers.filter(({ status }) => status !== 200 && status !== 409)
    if (won.length !== 1 || odd.length > 0) problems.push(`${name}: ${won.length} won, ${odd.length} odd`)
    winners.set(name, won[0]?.cksum ?? '')
  }
  const versions = Array.from({ length: writers }, (_, n) => `1.0.${n}`)
  const sent = versions.map((version, n) => sendCrate(replicas[n % 2 ? 1 : 0], crateFile('many', version)))
  const refused = (await Promise.all(sent)).filter((status) => status !== 200).length
  await sleep(VISIBLE_MS)
  const different: string[] = []
  const lines: number[] = []
  for (const replica of replicas) {
    for (const [name, cksum] of winners) different.push(...(await onlyLine(replica, name, cksum)))
    const many = await readIndex(replica, 'many')
    lines.push(new Set(typeof many === 'string' ? [] : many.map(({ vers }) => vers)).size)
  }
  const title = `${place.name}: ${rounds} rounds of ${writers} × 2 writers of one version`
  return [
    exactly(`${title}: rounds without exactly one winner`, problems.length, 0),
    exactly(`${title}: index files with other lines than the winner's`, different.length, 0),
    ...problemFigures([...problems, ...different]),
    exactly(`${place.name}: ${writers} versions at once: refused`, refused, 0),
    ...lines.map((count, n) => exactly(`${place.name}: lines on replica ${n + 1}`, count, writers)),
  ]
}

/** Every writer has bytes of its own, so that the winner is known by its checksum. */
function race(replicas: readonly KillableServer[], name: string, writers: number) {
  return Promise.all(
    replicas.flatMap((replica, nth) =>
      Array.from({ length: writers }, async (_, writer) => {
        const crate = crateFile(name).add(`${name}-1.0.0/writer`, `${nth} ${writer}`)
        return { cksum: sha256(crate.bytes()), status: await sendCrate(replica, crate) }
      }),
    ),
  )
}

async function onlyLine(replica: KillableServer, name: string, cksum: string): Promise<readonly string[]> {
  const lines = await readIndex(replica, name)
  const isRight = typeof lines !== 'string' && lines.length === 1 && lines[0]?.cksum === cksum
  return isRight ? [] : [`${name}: ${JSON.stringify(lines)}`]
}
