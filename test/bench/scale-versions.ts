import { join } from 'node:path'
import { indexPath } from '../../src/protocol/name.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { rotate } from './contest.ts'
import { atMost, type Row, renderRows } from './rows.ts'
import { type ScaleServer, startOver } from './scale-server.ts'
import { version, writeVersions } from './scale-store.ts'
import { publish } from './stage.ts'
import { timed } from './timed.ts'
import { upload } from './uploads.ts'

const CRATES = [
  { name: 'few-versions', count: 50 },
  { name: 'many-versions', count: 5_000 },
] as const
/** Rounds that count for nothing. */
const WARM_UP = 2

type Times = Record<'publish' | 'download' | '304' | '200, per MB', number>

/** One crate with many versions against one with few, in turns. */
export async function versionsTable(folder: string, rounds: number): Promise<string> {
  const data = join(folder, 'versions')
  for (const { name, count } of CRATES) await writeVersions(data, name, count)
  const server = await startOver(folder, data)
  const times = new Map<string, Times[]>(CRATES.map(({ name }) => [name, []]))
  try {
    for (let round = 0; round < rounds + WARM_UP; round++)
      for (const { name, count } of rotate(CRATES, round)) {
        const taken = await oneRound(server, name, count + round)
        if (round >= WARM_UP) times.get(name)?.push(taken)
      }
  } finally {
    await server.stop()
  }
  return renderRows(rowsOf(times))
}

async function oneRound({ url }: ScaleServer, name: string, versions: number): Promise<Times> {
  const began = performance.now()
  await upload([publish({ url }, publishBody(crateFile(name, version(versions))))])
  const published = performance.now() - began
  const index = `${url}/${indexPath(name)}`
  const response = await fetch(index)
  const size = (await response.arrayBuffer()).byteLength
  const etag = response.headers.get('etag') ?? ''
  return {
    publish: published,
    download: await timed(`${url}/api/v1/crates/${name}/${version(0)}/download`),
    '304': await timed(index, { 'if-none-match': etag }),
    '200, per MB': (await timed(index)) / (size / 1e6),
  }
}

function rowsOf(times: ReadonlyMap<string, readonly Times[]>): readonly Row[] {
  const [few, many] = CRATES
  const of = (name: string, what: keyof Times) => (times.get(name) ?? []).map((taken) => taken[what])
  return (['publish', 'download', '304', '200, per MB'] as const).map((what) => ({
    name: `${what}: ${many.count.toLocaleString('en')} versions of a crate ÷ ${few.count}`,
    ...{ unit: 'ms', figure: 'ratio', goal: atMost(2) },
    ...{ ours: of(many.name, what), theirs: of(few.name, what) },
  }))
}
