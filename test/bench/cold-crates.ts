import { indexPath } from '../../src/protocol/name.ts'
import { type Case, rotate } from './contest.ts'
import { LARGE } from './crates.ts'
import { type LongestTurn, longestTurn } from './loop.ts'
import { pacedName } from './paced-uplink.ts'
import { atMost, type Row } from './rows.ts'
import { downloadPath, LOGIN, type Stage } from './stage.ts'
import { type Times, timedGet } from './timed-get.ts'

const SIZES = [
  { size: '10 MB', bytes: LARGE },
  { size: '1 MiB', bytes: 2 ** 20 },
]
const CLIENTS = 200

/** A crate that nobody has asked for: through us, and straight from the uplink. */
export function coldCases({ watched, uplink }: Stage): readonly Case[] {
  return SIZES.map(({ size, bytes }): Case => {
    const [through, straight]: Times[][] = [[], []]
    const name = `cold .crate, ${size}`
    return {
      name,
      quickRounds: 3,
      async round(number) {
        const crate = pacedName(bytes, `alone-${number}`)
        await askIndex(watched.url, crate)
        const ways = [
          async () => void through?.push(await timedGet(watched.url + downloadPath(crate), LOGIN)),
          async () => void straight?.push(await timedGet(uplink.crateUrl(crate))),
        ]
        for (const way of rotate(ways, number)) await way()
      },
      rows(): readonly Row[] {
        const of = (what: keyof Times) => ({
          unit: 'ms',
          ours: through?.map((times) => times[what]) ?? [],
          theirs: straight?.map((times) => times[what]) ?? [],
        })
        return [
          {
            name: `${name}: first byte − straight`,
            ...of('first'),
            figure: 'difference',
            goal: atMost(3, 2),
          },
          { name: `${name}: total ÷ straight`, ...of('last'), figure: 'ratio', goal: atMost(1.05, 1.02) },
        ]
      },
    }
  })
}

/**
 * Many who want the same cold crate at once, beside one who is alone; and beside as many who want one of bare Node,
 * which has it: these tell how long the clients take themselves, and Node to hear them all.
 */
export function crowdCase({ watched, uplink, node, paths }: Stage): Case {
  const fetches: number[] = []
  const crowds: number[] = []
  const alone: number[] = []
  const ofNode: number[] = []
  const turns: LongestTurn[] = []
  const name = `${CLIENTS} want a cold .crate of 10 MB at once`
  const ask = (crate: string) => timedGet(watched.url + downloadPath(crate), LOGIN)
  const large = node.url + paths.large[0]
  return {
    name,
    quickRounds: 3,
    async round(number) {
      const [first, wanted] = ['one', 'many'].map((who) => pacedName(LARGE, `${who}-${number}`))
      for (const crate of [first, wanted]) await askIndex(watched.url, crate ?? '')
      alone.push((await ask(first ?? '')).first)
      await uplink.takeFetches()
      await longestTurn(watched.watch)
      crowds.push(await lastFirstByte(() => ask(wanted ?? '')))
      turns.push(await longestTurn(watched.watch))
      fetches.push(await uplink.takeFetches())
      ofNode.push(await lastFirstByte(() => timedGet(large)))
    },
    rows: (): readonly Row[] => [
      { name: `${name}: fetches`, unit: '', figure: 'worst', ours: fetches, goal: atMost(1, 1) },
      {
        ...{ name: `${name}: p99 of the first bytes ÷ one alone`, unit: 'ms', figure: 'ratio' },
        ...{ ours: crowds, theirs: alone, goal: atMost(3, 2) },
      },
      {
        ...{ name: `${name}: p99 of the first bytes ÷ bare Node, warm`, unit: 'ms', figure: 'ratio' },
        ...{ ours: crowds, theirs: ofNode, wants: 'less' },
        unjudged: 'the time of bare Node is now below 100 ms, now a second',
      },
      {
        ...{ name: `${name}: longest turn, processor time`, unit: 'ms', figure: 'ours' },
        ...{ ours: turns.map(({ work }) => work), goal: atMost(50, 20) },
      },
    ],
  }
}

/** When 99 of 100 of a crowd have their first byte, in milliseconds. */
async function lastFirstByte(get: () => Promise<Times>): Promise<number> {
  const times = await Promise.all(Array.from({ length: CLIENTS }, get))
  const sorted = times.map(({ first }) => first).toSorted((a, b) => a - b)
  return sorted[Math.ceil(0.99 * CLIENTS) - 1] ?? Number.NaN
}

/** Cargo has read the index by the time that it wants a file. */
export async function askIndex(url: string, crate: string): Promise<void> {
  const response = await fetch(`${url}/${indexPath(crate)}`, { headers: LOGIN })
  if (!response.ok) throw new Error(`${crate}: ${response.status}`)
  await response.arrayBuffer()
}
