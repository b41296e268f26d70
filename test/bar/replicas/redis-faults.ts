import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, redisServer } from '../../hosts/redis-server.ts'
import { crateFile } from '../../support/crate-file.ts'
import { randomFrom } from '../../support/random.ts'
import { atMost, exactly, type Figure, note } from '../figures.ts'
import type { KillableServer } from '../killable-server.ts'
import { problemFigures } from '../last-figures.ts'
import { readIndex, sendCrate } from '../registry-client.ts'
import { type Context, type Place, startReplicas } from './place.ts'
import { type KnownCrate, p99, publishKnown, read, readOne } from './readers.ts'

const READERS = 8
const WARM = 30
/** Crates that the second replica was never asked for, so that it looks into Redis. */
const COLD = 20
/** A change is visible everywhere by then. */
const VISIBLE_MS = 1_100
/** The machine may be busy with something else: the best try counts. */
const TRIES = 3

/** What happens to Redis; ends when `isOver`, with Redis as it should be. */
type Harm = (redis: RedisServer, isOver: () => boolean) => Promise<void>

const HARMS: Readonly<Record<string, Harm>> = {
  async killed(redis, isOver) {
    await redis.stop()
    await until(isOver)
    await redis.start()
  },
  async stopped(redis, isOver) {
    redis.kill('SIGSTOP')
    await until(isOver)
    redis.kill('SIGCONT')
  },
  async 'flushed every second'(redis, isOver) {
    for (let n = 0; !isOver(); n++) {
      if (n % 10 === 0) await redis.command('FLUSHALL')
      await sleep(100)
    }
  },
  async 'filled with garbage'(redis, isOver) {
    while (!isOver()) {
      const keys = (await redis.command('KEYS', '*')).split('\r\n').filter((word) => word.includes('::'))
      for (const [n, key] of keys.entries())
        await (n % 2 ? redis.command('SET', key, 'garbage') : redis.command('APPEND', key, 'garbage'))
      await sleep(100)
    }
    await redis.command('FLUSHALL')
  },
  async 'rolled back to an old dump'(redis, isOver) {
    // The dump is from before everything that was published since.
    await redis.stop()
    await redis.start()
    await until(isOver)
  },
}

export interface RedisFaultSpec {
  readonly windowMs: number
  readonly harms?: readonly string[]
  /** Whether times are measured, too. */
  readonly timed?: boolean
}

/** Two replicas that share a Redis which is harmed in every way, under load. */
export async function redisFaultFigures(
  context: Context,
  place: Place,
  { windowMs, harms = Object.keys(HARMS), timed = true }: RedisFaultSpec,
): Promise<readonly Figure[]> {
  const redis = await redisServer()
  context.after(() => redis.close())
  const replicas = await startReplicas(context, { ...place, redis: redis.url })
  const crates = await publishKnown(replicas[0], 'warm', WARM)
  const stage: Stage = { redis, replicas, crates, windowMs }
  const figures: Figure[] = []
  await sendCrate(replicas[0], crateFile('growing', '0.1.0'))
  await redis.command('SAVE')
  for (const name of harms) {
    const harm = HARMS[name]
    if (harm === undefined) throw new Error(`nobody knows how Redis is ${name}`)
    figures.push(...(await underHarm(`${place.name}, Redis ${name}`, stage, harm, timed)))
  }
  return figures
}

interface Stage {
  readonly redis: RedisServer
  readonly replicas: readonly [KillableServer, KillableServer]
  readonly crates: readonly KnownCrate[]
  readonly windowMs: number
}

async function underHarm(
  title: string,
  stage: Stage,
  harm: Harm,
  timed: boolean,
): Promise<readonly Figure[]> {
  const { redis, replicas, windowMs } = stage
  const problems: string[] = []
  let best: { readonly before: number; readonly during: number } | undefined
  let [answers, failed] = [0, 0]
  for (let tried = 0; tried < (timed ? TRIES : 1); tried++) {
    const before = timed ? await window(stage, tried, until) : undefined
    const during = await window(stage, tried, (isOver) => harm(redis, isOver))
    for (const each of before === undefined ? [during] : [before, during]) {
      problems.push(...each.wrong, ...each.failed)
      answers += each.answers
      failed += each.failed.length
    }
    const times = { before: p99(before?.times ?? []), during: p99(during.times) }
    if (best === undefined || excess(times) < excess(best)) best = times
    if (excess(best) <= 0) break
  }
  // Redis is back, and both replicas find each other's work.
  await sleep(VISIBLE_MS)
  const [here, there] = await Promise.all(replicas.map((replica) => readIndex(replica, 'growing')))
  if (JSON.stringify(here) !== JSON.stringify(there)) problems.push('the replicas differ afterwards')
  return [
    note(`${title}: answers in windows of ${windowMs} ms`, String(answers)),
    exactly(`${title}: wrong answers`, problems.length - failed, 0),
    exactly(`${title}: 5xx and broken connections`, failed, 0),
    ...problemFigures(problems),
    ...(timed && best !== undefined ? timeFigures(title, best) : []),
  ]
}

function timeFigures(
  title: string,
  { before, during }: { before: number; during: number },
): readonly Figure[] {
  const limit = limitOf(before)
  return [
    note(`${title}: warm p99 before`, `${before.toFixed(1)} ms`),
    atMost(`${title}: warm p99, within 2 × and + 50 ms`, during, limit, 'ms'),
  ]
}

function limitOf(before: number): number {
  return Math.min(2 * before, before + 50)
}

function excess({ before, during }: { readonly before: number; readonly during: number }): number {
  return during - limitOf(before)
}

/** Readers of what is warm, readers of what is cold, and publishes, while something happens to Redis. */
async function window(stage: Stage, nth: number, harm: (isOver: () => boolean) => Promise<void>) {
  const { replicas, crates, windowMs } = stage
  const [first, second] = replicas
  const cold = await publishKnown(first, `cold-${performance.now().toFixed(0)}`, COLD)
  let over = false
  const isOver = () => over
  const harming = harm(isOver)
  const reading = read(replicas, crates, { readers: READERS, random: randomFrom(nth), isOver })
  const others = { answers: 0, wrong: [] as string[], failed: [] as string[], times: [] as number[] }
  const growing = publishAndLook(first, second, others, isOver)
  for (const one of cold) await readOne(second, one, true, others)
  await sleep(windowMs)
  over = true
  const warm = await reading
  await Promise.all([growing, harming])
  return {
    answers: warm.answers + others.answers,
    wrong: [...warm.wrong, ...others.wrong],
    failed: [...warm.failed, ...others.failed],
    times: warm.times,
  }
}

/** What is published at one replica has to be seen at the other within a second. */
async function publishAndLook(
  from: KillableServer,
  at: KillableServer,
  problems: { answers: number; readonly wrong: string[]; readonly failed: string[] },
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const version = `1.0.${performance.now().toFixed(0)}`
    const status = await sendCrate(from, crateFile('growing', version))
    problems.answers += 1
    if (status !== 200) problems.failed.push(`a publish: ${status}`)
    await sleep(VISIBLE_MS)
    const lines = await readIndex(at, 'growing')
    if (typeof lines === 'string') problems.failed.push(lines)
    else if (!lines.some(({ vers }) => vers === version)) problems.wrong.push(`${version} is not seen`)
  }
}

async function until(isOver: () => boolean): Promise<void> {
  while (!isOver()) await sleep(20)
}
