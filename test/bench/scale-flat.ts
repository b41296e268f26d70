import { indexPath } from '../../src/protocol/name.ts'
import { publishBody } from '../support/crate-file.ts'
import { rotate } from './contest.ts'
import { newCrate } from './crates.ts'
import { check, load, type Sample, type Target } from './load.ts'
import { atLeast, atMost, type Row, renderRows } from './rows.ts'
import { manyCrates } from './scale-crates.ts'
import { type ScaleServer, startOver } from './scale-server.ts'
import { MOST_LOGS } from './scale-store.ts'
import { downloadPath, publish } from './stage.ts'
import { timed } from './timed.ts'
import { upload } from './uploads.ts'

const ROUNDS = 9
const LOAD_MS = 2_000
const WARM_UP_MS = 1_000
/** Index files that are asked for in turns. */
const ASKED = 500

interface Sized {
  readonly count: number
  readonly server: ScaleServer
  readonly loads: readonly { readonly target: Target; readonly samples: Sample[] }[]
}

/** Index and download of the largest registry beside those of the smallest, in rotation; the stores are there already. */
export async function flatTable(folder: string, stores: ReadonlyMap<number, string>): Promise<string> {
  const sized: Sized[] = []
  try {
    for (const count of [Math.min(...stores.keys()), Math.max(...stores.keys())]) {
      const server = await startOver(folder, stores.get(count) ?? '')
      sized.push({ count, server, loads: await loadsOf(server, count) })
    }
    // They load their crates a second after the first answer; what that takes is shown on its own.
    for (const { server } of sized) await timed(`${server.url}/api/v1/crates?q=tokio`)
    for (const { target } of sized.flatMap(({ loads }) => loads)) {
      await check(target)
      await load(target, WARM_UP_MS)
    }
    for (let round = 0; round < ROUNDS; round++)
      for (const { loads } of rotate(sized, round))
        for (const { target, samples } of loads) samples.push(await load(target, LOAD_MS))
  } finally {
    for (const { server } of sized) await server.stop()
  }
  return renderRows(rowsOf(sized))
}

/** A crate of our own is downloaded: the others have no files. */
async function loadsOf(server: ScaleServer, count: number): Promise<Sized['loads']> {
  await upload([publish(server, publishBody(newCrate('bench-flat')))])
  const known = Math.min(count, MOST_LOGS)
  const step = Math.max(1, Math.floor(known / ASKED))
  const paths: string[] = []
  let number = 0
  for (const { entry } of manyCrates(count)) {
    if (number === known) break
    if (number++ % step === 0) paths.push(`/${indexPath(entry.name)}`)
  }
  return [paths, [downloadPath('bench-flat')]].map((asked) => ({
    target: { server, status: 200, requests: asked.map((path) => ({ path })) },
    samples: [],
  }))
}

function rowsOf([few, many]: readonly Sized[]): readonly Row[] {
  return ['index', '.crate, 60 KB'].flatMap((what, i) => {
    const of = (sized: Sized | undefined, measure: keyof Sample) =>
      sized?.loads[i]?.samples.map((sample) => sample[measure]) ?? []
    const name = `${what}, ${many?.count.toLocaleString('en')} crates ÷ ${few?.count.toLocaleString('en')}`
    const row = (measure: keyof Sample) =>
      ({ figure: 'ratio', ours: of(many, measure), theirs: of(few, measure) }) as const
    return [
      { name, unit: 'req/s', ...row('rate'), goal: atLeast(0.9) },
      { name: `${name}, processor time`, unit: 'µs/req', ...row('cpu'), goal: atMost(1.1) },
    ]
  })
}
