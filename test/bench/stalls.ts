import { publishBody } from '../support/crate-file.ts'
import type { Case } from './contest.ts'
import { LARGE, newCrate, unpackedCrate } from './crates.ts'
import { load } from './load.ts'
import { type LongestTurn, longestTurn } from './loop.ts'
import type { Pace } from './pace.ts'
import { pacedName } from './paced-uplink.ts'
import { atMost, type Row } from './rows.ts'
import { downloadPath, LOGIN, publish, type Stage } from './stage.ts'
import { upload } from './uploads.ts'

/** How long the event loop is busy with one thing while a crate of 10 MB is published. */
export function publishStallCase({ watched }: Stage): Case {
  const turns: LongestTurn[] = []
  let count = 0
  const publishOne = async () => {
    const body = publishBody(unpackedCrate(`bench-stall-${count++}`))
    await longestTurn(watched.watch)
    await upload([publish(watched, body)])
    return longestTurn(watched.watch)
  }
  return {
    name: 'publish of 10 MB',
    quickRounds: 2,
    async warmUp() {
      await publishOne()
    },
    async round() {
      turns.push(await publishOne())
    },
    rows: () => turnRows('publish of 10 MB (45 MB unpacked)', 'ours', turns, atMost(10, 3)),
  }
}

/**
 * The same while crates of 10 MB are published, fetched from the uplink, and read back for the first time, which is
 * when they are verified; all of it beside index traffic.
 */
export function trafficStallCase({ registry, watched, paths }: Stage, { loadMs }: Pace): Case {
  const turns: LongestTurn[] = []
  let count = 0
  return {
    name: 'index traffic',
    quickRounds: 2,
    async round() {
      const [unread, published] = ['unread', 'beside'].map((what) => `bench-${what}-${count}`)
      const wanted = pacedName(LARGE, `traffic-${count++}`)
      const body = publishBody(unpackedCrate(published ?? ''))
      // The other process has stored it: this one has to look whether it is sound.
      await upload([publish(registry, publishBody(newCrate(unread ?? '', LARGE)))])
      const requests = paths.index.map((path) => ({ path, headers: LOGIN }))
      await longestTurn(watched.watch)
      await Promise.all([
        load({ server: watched, requests, status: 200 }, loadMs),
        upload([publish(watched, body)]),
        ...[unread, wanted].map((crate) => read(`${watched.url}${downloadPath(crate ?? '')}`)),
      ])
      turns.push(await longestTurn(watched.watch))
    },
    rows: () =>
      turnRows('10 MB published, fetched and verified beside index traffic', 'worst', turns, atMost(20)),
  }
}

function turnRows(
  name: string,
  figure: Row['figure'],
  turns: readonly LongestTurn[],
  goal: ReturnType<typeof atMost>,
): readonly Row[] {
  const common = { unit: 'ms', figure }
  return [
    { ...common, name: `${name}: longest turn, processor time`, ours: turns.map(({ work }) => work), goal },
    { ...common, name: `${name}: longest turn, by the clock`, ours: turns.map(({ wall }) => wall) },
  ]
}

async function read(url: string): Promise<void> {
  const response = await fetch(url, { headers: LOGIN })
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  await response.arrayBuffer()
}
