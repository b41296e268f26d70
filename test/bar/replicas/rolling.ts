import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, fetch as fetchBy } from 'undici'
import { indexPath } from '../../../src/protocol/name.ts'
import { downloadPath } from '../../http/proxied.ts'
import { crateFile, publishBody } from '../../support/crate-file.ts'
import { sha256 } from '../../support/download.ts'
import { freePort } from '../../support/free-port.ts'
import { pick, randomFrom } from '../../support/random.ts'
import { ensureTools } from '../../support/tools.ts'
import { startBalancer } from '../balancer.ts'
import { exactly, type Figure, note } from '../figures.ts'
import { problemFigures } from '../last-figures.ts'
import { readIndex } from '../registry-client.ts'
import { type Context, type Place, startReplica } from './place.ts'
import { publishKnown } from './readers.ts'

const READERS = 8
const PUBLISHERS = 2
const SEED = 20_261_131
const REST_MS = 300
/** A change is visible everywhere by then. */
const VISIBLE_MS = 1_100

/** Each of two replicas behind nginx is stopped and started in turn while clients read and publish. */
export async function rollingFigures(
  context: Context,
  place: Place,
  { requests }: { readonly requests: number },
): Promise<readonly Figure[]> {
  await ensureTools(['nginx', 'openssl'])
  const ports = [await freePort(), await freePort()]
  const replicas = await Promise.all(
    ports.map((port) => startReplica(context, place, { listen: `127.0.0.1:${port}` })),
  )
  const [first] = replicas
  if (first === undefined) throw new Error('no replica')
  const crates = await publishKnown(first, 'rolled', 20)
  const balancer = await startBalancer(context, ports)
  const dispatcher = new Agent({ connect: { ca: balancer.ca }, allowH2: true })
  context.after(() => dispatcher.destroy())
  const failed: string[] = []
  const acknowledged: string[] = []
  const random = randomFrom(SEED)
  let left = requests
  async function reader(): Promise<void> {
    while (left-- > 0) {
      const { crate, cksum, index } = pick(random, crates)
      const wantsIndex = random() < 0.7
      const path = wantsIndex ? `/${indexPath(crate.name)}` : downloadPath(crate.name, crate.version)
      const got = await ask(path)
      const isRight =
        got.status === 200 && (wantsIndex ? `${got.body}` === index : sha256(got.body) === cksum)
      if (!isRight) failed.push(`${path}: ${got.status} ${got.body.subarray(0, 200)}`)
    }
  }
  async function publisher(by: number): Promise<void> {
    for (let n = 0; left > 0; n++) {
      const version = `1.${by}.${n}`
      const body = publishBody(crateFile('rolling', version))
      const got = await ask('/api/v1/crates/new', {
        method: 'PUT',
        body,
        headers: { authorization: first?.token ?? '' },
      })
      if (got.status === 200) acknowledged.push(version)
      else failed.push(`publish ${version}: ${got.status} ${got.body.subarray(0, 200)}`)
    }
  }
  async function ask(path: string, init: Parameters<typeof fetchBy>[1] = {}) {
    return fetchBy(balancer.url + path, { ...init, dispatcher })
      .then(async (response) => ({
        status: response.status,
        body: Buffer.from(await response.arrayBuffer()),
      }))
      .catch((error: unknown) => ({ status: 0, body: Buffer.from(String((error as Error).cause ?? error)) }))
  }
  let restarts = 0
  async function roll(): Promise<void> {
    for (let nth = 0; left > 0; nth++) {
      const replica = replicas[nth % replicas.length]
      await replica?.stop()
      await replica?.start()
      restarts += 1
      await sleep(REST_MS)
    }
  }
  await Promise.all([
    ...Array.from({ length: READERS }, reader),
    ...Array.from({ length: PUBLISHERS }, (_, by) => publisher(by)),
    roll(),
  ])
  await sleep(VISIBLE_MS)
  const lost: string[] = []
  for (const replica of replicas) {
    const lines = await readIndex(replica, 'rolling')
    const listed = new Set(typeof lines === 'string' ? [] : lines.map(({ vers }) => vers))
    lost.push(...acknowledged.filter((version) => !listed.has(version)))
  }
  const title = `${place.name}: rolling restart behind nginx`
  return [
    note(`${title}: reads, publishes, restarts`, `${requests}, ${acknowledged.length}, ${restarts}`),
    exactly(`${title}: failed requests`, failed.length, 0),
    exactly(`${title}: acknowledged publishes lost`, lost.length, 0),
    ...problemFigures([...failed, ...lost]),
  ]
}
