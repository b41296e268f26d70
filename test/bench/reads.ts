import { type Case, rotate } from './contest.ts'
import { check, load, type Sample, type Target } from './load.ts'
import { type Pace, WHOLE } from './pace.ts'
import type { Server } from './process.ts'
import { atLeast, atMost, type Goal, type Row } from './rows.ts'
import { LOGIN, type Stage } from './stage.ts'

/**
 * Loads of answers of 10 MB are equally long in all runs: a new connection gets its buffers bit by bit, for seconds. In half
 * a second nginx sends 1.3 GB/s and takes 0.07 s of processor time for each GB, in four 2.3 GB/s and 0.18 s.
 */
const LARGE_MS = WHOLE.loadMs
/**
 * A process of Node gets faster until it has answered so many requests, more where several share two cores with what
 * compiles; but there is an end to waiting for that.
 */
const WARM_UP = 30_000
const WARM_UP_STEP_MS = 250

type Party =
  | 'ours'
  | 'nginx'
  | 'nginx, packing on the fly'
  | 'bare Node'
  | 'Koa, router, Redis'
  | 'createReadStream'
  | 'nginx of 2'
  | 'bare Node of 2'

interface ReadSpec {
  readonly name: string
  readonly status: number
  readonly paths: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly parties: readonly (readonly [Party, Server])[]
  /** A load takes at least so long. */
  readonly leastMs?: number
  readonly quickRounds?: number
  /** Of each server; default: one. */
  readonly processes?: number
  /** Who is compared with whom, in what; default: we are. */
  readonly against: readonly (readonly [Party, keyof Sample, Goal?, Party?])[]
}

const UNITS: Readonly<Record<keyof Sample, readonly [what: string, unit: string, of: number]>> = {
  rate: ['', 'req/s', 1],
  bytes: ['', 'MB/s', 1e-6],
  cpu: [', processor time', 'µs/req', 1],
  cpuOfGB: [', processor time', 's/GB', 1],
}

/** What cargo asks for by the hundred, over connections that stay open. */
export function readCases(stage: Stage, pace: Pace): readonly Case[] {
  return readSpecs(stage).map((spec) => readCase(spec, pace))
}

function readSpecs(stage: Stage): readonly ReadSpec[] {
  const { nginx, node, nodeOfTwo, koa, paths } = stage
  const [ours, beside] = [['ours', stage.registry] as const, ['nginx', nginx] as const]
  const [bare, usual] = [['bare Node', node] as const, ['Koa, router, Redis', koa] as const]
  const ofIndex = { paths: paths.index, status: 200 }
  const againstBare = [
    ['bare Node', 'rate', atLeast(0.85, 0.95)],
    ['bare Node', 'cpu', atMost(1.2, 1.05)],
  ] as const
  return [
    {
      ...{ name: 'index, 30 KB', ...ofIndex, parties: [ours, beside, bare, usual] },
      against: [
        ...againstBare,
        ['nginx', 'rate', atLeast(0.33, 0.42)],
        ['Koa, router, Redis', 'rate', atLeast(4, 6)],
      ],
    },
    {
      ...{ name: 'index, gzip', ...ofIndex, headers: { 'Accept-Encoding': 'deflate, gzip' } },
      parties: [ours, beside, ['nginx, packing on the fly', nginx.onTheFly], bare],
      against: [
        ...againstBare,
        ['nginx', 'rate', atLeast(0.33, 0.42)],
        ['nginx, packing on the fly', 'rate', atLeast(4.5, 6)],
      ],
    },
    {
      ...{ name: 'index, 304', paths: paths.index, status: 304, parties: [ours, beside, bare, usual] },
      against: [
        ['bare Node', 'rate', atLeast(0.8, 0.95)],
        ['nginx', 'rate', atLeast(0.27, 0.38)],
        ['Koa, router, Redis', 'rate', atLeast(4, 6)],
      ],
    },
    {
      ...{ name: 'index, 404', paths: ['/no/t-/not-there'], status: 404, parties: [ours, beside] },
      against: [['nginx', 'rate']],
    },
    {
      ...{ name: '.crate, 60 KB', paths: paths.small, status: 200 },
      parties: [ours, beside, ['createReadStream', node]],
      against: [
        ['nginx', 'rate', atLeast(0.3, 0.45)],
        ['createReadStream', 'rate', atLeast(3, 5)],
      ],
    },
    {
      ...{ name: '.crate, 10 MB', paths: paths.large, status: 200, parties: [ours, beside] },
      ...{ leastMs: LARGE_MS, quickRounds: 3 },
      against: [
        ['nginx', 'bytes', atLeast(0.95, 1)],
        ['nginx', 'cpuOfGB', atMost(2.5, 1.6)],
      ],
    },
    {
      ...{ name: '2 workers, index, 30 KB', ...ofIndex, processes: 2 },
      parties: [
        ['ours', stage.twoWorkers],
        ['nginx of 2', stage.nginxOfTwo],
        ...(nodeOfTwo === undefined ? [] : [['bare Node of 2', nodeOfTwo] as const]),
      ],
      against: [
        ['nginx of 2', 'rate', atLeast(0.7)],
        ...(nodeOfTwo === undefined ? [] : [['nginx of 2', 'rate', undefined, 'bare Node of 2'] as const]),
      ],
    },
  ]
}

function readCase(spec: ReadSpec, { loadMs, warmUpMs }: Pace): Case {
  const { name, parties, against, quickRounds, leastMs = 0, processes = 1 } = spec
  const samples = new Map<Party, Sample[]>(parties.map(([party]) => [party, []]))
  const targets = new Map<Party, Target>()
  const values = (party: Party, what: keyof Sample) =>
    (samples.get(party) ?? []).map((sample) => sample[what] * UNITS[what][2])
  return {
    name,
    ...(quickRounds !== undefined && { quickRounds }),
    async warmUp() {
      for (const [party, server] of parties) {
        const target = await targetOf(spec, server)
        targets.set(party, target)
        await check(target)
        if (!party.startsWith('nginx')) await warmUp(target, { processes, maxMs: processes * warmUpMs })
      }
    },
    async round(number) {
      for (const [party, target] of rotate([...targets], number))
        samples.get(party)?.push(await load(target, Math.max(loadMs, leastMs)))
    },
    loads: () => [...samples].map(([server, of]) => ({ name, server, samples: of })),
    rows: () =>
      against.map(([party, what, goal, who = 'ours']): Row => {
        const [suffix, unit] = UNITS[what]
        return {
          name: `${name}${who === 'ours' ? '' : `, ${who}`} ÷ ${party}${suffix}`,
          ...{ unit, figure: 'ratio', ours: values(who, what), theirs: values(party, what) },
          wants: what === 'rate' || what === 'bytes' ? 'more' : 'less',
          ...(goal !== undefined && { goal }),
        }
      }),
  }
}

interface WarmUp {
  readonly processes: number
  readonly maxMs: number
}

async function warmUp(target: Target, { processes, maxMs }: WarmUp): Promise<void> {
  let answered = 0
  for (let ms = 0; ms < maxMs && answered < processes * WARM_UP; ms += WARM_UP_STEP_MS)
    answered += ((await load(target, WARM_UP_STEP_MS)).rate * WARM_UP_STEP_MS) / 1000
}

async function targetOf({ paths, status, headers = {} }: ReadSpec, server: Server): Promise<Target> {
  const sent = { ...LOGIN, ...headers }
  if (status !== 304) return { server, status, requests: paths.map((path) => ({ path, headers: sent })) }
  const tags = paths.map(async (path) => {
    const response = await fetch(server.url + path, { headers: { ...LOGIN, 'Accept-Encoding': 'identity' } })
    await response.arrayBuffer()
    return { path, headers: { ...sent, 'If-None-Match': response.headers.get('etag') ?? '' } }
  })
  return { server, status, requests: await Promise.all(tags) }
}
