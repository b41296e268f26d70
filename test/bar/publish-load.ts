import { Pool } from 'undici'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { type MutatedPublish, mutatedPublish } from '../support/publish-mutations.ts'
import { randomFrom } from '../support/random.ts'
import { PUBLISH_TOKEN, type RegistryProcess, startRegistryProcess } from './registry-process.ts'
import type { Context } from './storm-uplink.ts'

export const SEED = 20_261_126
const PARALLEL = 24
/** What a registry needs in use is not what bad bodies cost. */
const WARM_UP = 300
const NEW = '/api/v1/crates/new'

export interface Tally {
  readonly statuses: Map<number, number>
  /** What was taken, as `name@version`. */
  readonly accepted: Map<string, MutatedPublish>
  /** Controls that were refused. */
  refusedControls: number
  cut: number
}

/** A registry that has taken some hundred crates, and goes by other addresses as well. */
export async function startPublishedRegistry(
  context: Context,
  aliases: readonly string[] = [],
): Promise<RegistryProcess> {
  const registry = await startRegistryProcess(context, {
    uplinks: {},
    rate_limits: { publish: false },
    aliases: [...aliases],
  })
  const pool = new Pool(new URL(registry.url).origin, { connections: 4 })
  const path = new URL(registry.url).pathname + NEW
  for (let n = 0; n < WARM_UP; n++) {
    const status = await put(pool, path, publishBody(crateFile('base', `1.0.${n}`).feature('std')))
    if (status !== 200) throw new Error(`the first crates were not published: ${status}`)
  }
  await pool.destroy()
  return registry
}

/** Sends mutated publishes, over some connections. */
export async function publishMutated(registry: RegistryProcess, bodies: number): Promise<Tally> {
  const random = randomFrom(SEED)
  const tally: Tally = { statuses: new Map(), accepted: new Map(), refusedControls: 0, cut: 0 }
  let n = 0
  const next = () => (n < bodies ? mutatedPublish(random, n++, `sparse+${registry.url}/`) : undefined)
  await publishEach(registry, next, (publish, status) => {
    if (status === undefined) tally.cut += 1
    else tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1)
    if (status === 200) tally.accepted.set(`${publish.name}@${publish.version}`, publish)
    else if (publish.mutation === 'none') tally.refusedControls += 1
  })
  return tally
}

/** Sends what was taken elsewhere; how many are refused. */
export async function publishAgain(registry: RegistryProcess, accepted: Tally['accepted']): Promise<number> {
  const left = accepted.values()
  let refused = 0
  await publishEach(
    registry,
    () => left.next().value,
    (_, status) => {
      if (status !== 200) refused += 1
    },
  )
  return refused
}

async function publishEach(
  registry: RegistryProcess,
  next: () => MutatedPublish | undefined,
  answered: (publish: MutatedPublish, status: number | undefined) => void,
): Promise<void> {
  const { origin, pathname: mount } = new URL(registry.url)
  const pool = new Pool(origin, { connections: PARALLEL })
  async function client(): Promise<void> {
    for (let publish = next(); publish !== undefined; publish = next())
      answered(publish, await put(pool, mount + NEW, publish.body))
  }
  await Promise.all(Array.from({ length: PARALLEL }, client))
  await pool.destroy()
}

async function put(pool: Pool, path: string, body: Buffer): Promise<number | undefined> {
  try {
    const headers = { authorization: PUBLISH_TOKEN, 'content-length': String(body.length) }
    const { statusCode, body: answer } = await pool.request({ method: 'PUT', path, headers, body })
    await answer.dump()
    return statusCode
  } catch {
    return undefined
  }
}
