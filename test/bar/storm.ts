import { Pool } from 'undici'
import type { OptionsInput } from '../../src/options.ts'
import { indexPath } from '../../src/protocol/name.ts'
import { downloadPath } from '../http/proxied.ts'
import { sha256 } from '../support/download.ts'
import { pick, randomFrom } from '../support/random.ts'
import { startUplink, type Uplink } from '../support/uplink.ts'
import { exactly, type Figure, note } from './figures.ts'
import { baseline, leftovers } from './leftovers.ts'
import { type RegistryProcess, startRegistryProcess } from './registry-process.ts'
import { type Context, MAX_BODY, spoil, stormCrates } from './storm-uplink.ts'

const PARALLEL = 64
const SEED = 20_261_125
/** After a failure an index file is left alone for five seconds: with more files there are more cold ones. */
const CRATES_PER_REQUEST = 1 / 50

export interface StormSpec {
  readonly requests: number
  /** The uplink's `max_fails`; 0: it is asked whatever happens. */
  readonly maxFails: number
}

/** What the answers were. */
interface Tally {
  right: number
  /** Statuses other than 200, by number. */
  readonly refused: Map<number, number>
  cut: number
  wrong: number
  missing: number
  /** Index files with all versions and checksums, but not byte for byte as they are. */
  changed: number
}

/** Index files and crates asked for at random while every fifth answer of the uplink is faulty. */
export async function stormFigures(context: Context, spec: StormSpec): Promise<readonly Figure[]> {
  const random = randomFrom(SEED)
  const crates = stormCrates(random, Math.max(40, Math.round(spec.requests * CRATES_PER_REQUEST)))
  const uplink = await startUplink(context, { crates, seed: SEED })
  const registry = await startRegistryProcess(context, stormOptions(uplink, spec.maxFails))
  const before = await baseline(registry)
  const faults = spoil(uplink, new Set(crates.map(({ name }) => name)), random)
  const begun = performance.now()
  const tally = await storm(registry, uplink, spec.requests, random)
  const seconds = (performance.now() - begun) / 1000
  const title = `${spec.requests.toLocaleString('en')} requests, max_fails ${spec.maxFails}`
  const answered = faults.right() + faults.faulty()
  const refused = [...tally.refused]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`)
  return [
    note(`${title}: answers`, `${tally.right} right, ${tally.cut} cut short, ${refused.join(', ')}`),
    note(
      `${title}: answers of the uplink`,
      `${answered}, ${faults.faulty()} faulty in ${faults.used.size} modes`,
    ),
    note(`${title}: time`, `${seconds.toFixed(0)} s`),
    exactly(`${title}: complete wrong bodies`, tally.wrong, 0),
    exactly(`${title}: index bodies with a version missing`, tally.missing, 0),
    note(`${title}: index bodies changed as an author may`, String(tally.changed)),
    exactly(`${title}: answers of 500`, tally.refused.get(500) ?? 0, 0),
    exactly(`${title}: crashes and unhandled rejections`, registry.isRunning() ? 0 : 1, 0),
    ...(await leftovers(title, registry, uplink, before)),
  ]
}

export function stormOptions(uplink: Uplink, maxFails: number): OptionsInput {
  const up = { url: uplink.index, timeout: '300ms', maxage: '100ms', max_fails: maxFails }
  return {
    prefetch: 0,
    uplinks: { kept: up, loose: { ...up, cache: false } },
    packages: { 'kept-*': { proxy: 'kept' }, 'loose-*': { proxy: 'loose' } },
    limits: { proxied: MAX_BODY, index: MAX_BODY },
  }
}

async function storm(
  registry: RegistryProcess,
  uplink: Uplink,
  requests: number,
  random: () => number,
): Promise<Tally> {
  const { origin, pathname: mount } = new URL(registry.url)
  const pool = new Pool(origin, { connections: PARALLEL })
  const tally: Tally = { right: 0, refused: new Map(), cut: 0, wrong: 0, missing: 0, changed: 0 }
  const versions = [...uplink.versions()]
  const byName = Map.groupBy(versions, ({ name }) => name)
  let left = requests
  async function client(): Promise<void> {
    while (left-- > 0) {
      const { name, version, cksum } = pick(random, versions)
      const wantsIndex = random() < 0.5
      const path = mount + (wantsIndex ? `/${indexPath(name)}` : downloadPath(name, version))
      const got = await ask(pool, path)
      if (got === undefined) tally.cut += 1
      else if (got.status !== 200) tally.refused.set(got.status, (tally.refused.get(got.status) ?? 0) + 1)
      else if (!wantsIndex) tally[sha256(got.body) === cksum ? 'right' : 'wrong'] += 1
      else tally[judgeIndex(got.body, byName.get(name) ?? [])] += 1
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, client))
  await pool.destroy()
  return tally
}

/** The whole answer; `undefined` when it was cut short. */
async function ask(pool: Pool, path: string) {
  try {
    const { statusCode: status, body } = await pool.request({ path, method: 'GET' })
    return { status, body: Buffer.from(await body.arrayBuffer()) }
  } catch {
    return undefined
  }
}

function judgeIndex(
  body: Buffer,
  versions: readonly { readonly line: string; readonly version: string; readonly cksum: string }[],
): 'right' | 'changed' | 'missing' | 'wrong' {
  if (body.equals(Buffer.from(versions.map(({ line }) => `${line}\n`).join('')))) return 'right'
  const lines = body
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const has = versions.map(({ version }) => lines.find(({ vers }) => vers === version))
  if (has.includes(undefined)) return 'missing'
  const same = versions.every(({ cksum }, n) => has[n].cksum === cksum)
  return same && lines.length === versions.length ? 'changed' : 'wrong'
}
