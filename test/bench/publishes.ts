import { publishBody } from '../support/crate-file.ts'
import { type Case, rotate } from './contest.ts'
import { newCrate } from './crates.ts'
import type { Pace } from './pace.ts'
import type { Server } from './process.ts'
import { atMost } from './rows.ts'
import { publish, type Stage } from './stage.ts'
import { type Upload, upload } from './uploads.ts'

/** Publishes one after the other, of which the server tells the time. */
const ALONE = 10

/** Durable publishes of 60 KB; to nginx the same bytes go as plain files, unchecked and without fsync. */
export function publishCase({ registry, nginx }: Stage, { publishes: each }: Pace): Case {
  const rates = { ours: [] as number[], nginx: [] as number[] }
  const serverMs: number[] = []
  let count = 0
  const bodies = (number: number) =>
    Array.from({ length: number }, () => publishBody(newCrate(`bench-new-${count++}`)))
  const toRegistry = (number: number) => bodies(number).map((body) => publish(registry, body))
  const toNginx = (number: number) =>
    bodies(number).map((body): Upload => ({ url: `${nginx.url}/upload/${count++}`, body: Buffer.from(body) }))
  return {
    name: 'publish',
    async warmUp() {
      await upload(toRegistry(each))
    },
    async round(number) {
      const ways = [
        async () => void rates.ours.push(await upload(toRegistry(each))),
        async () => void rates.nginx.push(await upload(toNginx(each))),
      ]
      for (const way of rotate(ways, number)) await way()
      const before = await publishTime(registry)
      await upload(toRegistry(ALONE), 1)
      const after = await publishTime(registry)
      serverMs.push((1000 * (after.seconds - before.seconds)) / (after.count - before.count))
    },
    rows: () => [
      {
        ...{ name: 'publish of 60 KB, 8 at a time ÷ nginx, PUT', unit: 'req/s', figure: 'ratio' },
        ...{ ours: rates.ours, theirs: rates.nginx },
      },
      {
        ...{ name: 'publish of 60 KB, alone: time in the server', unit: 'ms', figure: 'ours' },
        ...{ ours: serverMs, goal: atMost(5, 3) },
      },
    ],
  }
}

/** What the server counted of publishes so far. */
async function publishTime({ url }: Server) {
  const text = await (await fetch(`${new URL(url).origin}/metrics`)).text()
  const metric = (what: string) => {
    const pattern = new RegExp(
      `^cargo_request_duration_seconds_${what}\\{route="/api/v1/crates/new",method="PUT"\\} (\\S+)$`,
      'm',
    )
    const value = pattern.exec(text)?.[1]
    if (value === undefined) throw new Error(`no ${what} of publishes in the metrics`)
    return Number(value)
  }
  return { seconds: metric('sum'), count: metric('count') }
}
