import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Logger, ObjectStore } from '../../src/host.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { createDownloadCounts, type DownloadCounts } from '../../src/registry/download-counts.ts'
import { reliableStorage } from '../../src/registry/reliable-storage.ts'
import { randomFrom } from '../support/random.ts'
import { keysOf, watchedStore } from '../support/watched-store.ts'
import { type Clock, DAY, fakeClock, MINUTE, SECOND } from './upstream/clocked-registry.ts'

interface Replica extends DownloadCounts {
  /** What was logged as an error. */
  readonly errors: string[]
}

function replica(storage: ObjectStore, clock: Clock): Replica {
  const errors: string[] = []
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (_, message) => void errors.push(message),
  }
  const { now, monotonic } = clock
  return { errors, ...createDownloadCounts({ storage: reliableStorage(storage), logger, now, monotonic }) }
}

/** What a process that has just started reads. */
async function stored(storage: ObjectStore, clock: Clock, names: readonly string[]) {
  const reader = replica(storage, clock)
  const { total, crates } = await reader.totals()
  const each = await Promise.all(names.map((name) => reader.of(name)))
  for (const [at, name] of names.entries()) {
    const { total, recent } = each[at] ?? assert.fail()
    assert.deepEqual(crates.get(name) ?? { total: 0, recent: 0 }, { total, recent }, name)
  }
  return { total, each, errors: reader.errors }
}

/** Two processes count for so many days: each crate `d` times on day `d`, in two versions. */
async function countDays(storage: ObjectStore, clock: Clock, days: number, names: readonly string[]) {
  let total = 0
  for (let day = 1; day <= days; day++) {
    for (const process of [replica(storage, clock), replica(storage, clock)]) {
      for (const name of names)
        for (let n = 0; n < day; n++) {
          process.count(name, n % 2 ? '1.0.0' : '2.0.0')
          total += 1
        }
      await process.close()
    }
    clock.advance(DAY)
  }
  return total
}

async function foldAll(counts: DownloadCounts): Promise<number> {
  let folds = 0
  while (await counts.fold()) folds += 1
  return folds
}

test('a download counts for the day that it ended on, whenever it is stored', async () => {
  const [storage, clock] = [memoryStorage(), fakeClock('2026-06-01T23:59:59Z')]
  const counts = replica(storage, clock)
  counts.count('foo', '1.0.0')
  clock.advance(SECOND)
  for (const version of ['1.0.0', '2.0.0', '2.0.0']) counts.count('Foo', version)
  await counts.flush()
  counts.count('foo', '2.0.0')
  await counts.flush()
  assert.deepEqual(
    (await keysOf(storage)).map((key) => key.split('/')[1]),
    ['2026-06-01', '2026-06-02'],
  )
  const { total, recent, versions, days } = await counts.of('FOO')
  assert.deepEqual([total, recent], [5, 5])
  assert.deepEqual(Object.fromEntries(versions), { '1.0.0': 2, '2.0.0': 3 })
  assert.deepEqual(
    days.map(({ day, versions }) => [day, Object.fromEntries(versions)]),
    [
      ['2026-06-01', { '1.0.0': 1 }],
      ['2026-06-02', { '1.0.0': 1, '2.0.0': 3 }],
    ],
  )
})

test('a clock that is set back over midnight overwrites nothing', async () => {
  const [storage, clock] = [memoryStorage(), fakeClock('2026-06-01T23:59:59Z')]
  const counts = replica(storage, clock)
  for (const step of [2 * SECOND, -2 * SECOND, 2 * SECOND, 0]) {
    counts.count('foo', '1.0.0')
    await counts.flush()
    clock.advance(step)
  }
  assert.equal((await stored(storage, clock, ['foo'])).total, 4)
})

test('what is read is at most a minute old, and one look serves all until then', async () => {
  const [storage, clock] = [watchedStore(), fakeClock()]
  const [one, two] = [replica(storage, clock), replica(storage, clock)]
  assert.equal((await two.of('foo')).total, 0)
  one.count('foo', '1.0.0')
  await one.flush()
  clock.advance(MINUTE - 1)
  assert.equal((await two.of('foo')).total, 0)
  clock.advance(1)
  const found = await Promise.all([two.of('foo'), two.of('foo'), two.totals()])
  assert.deepEqual(
    found.map(({ total }) => total),
    [1, 1, 1],
  )
  assert.equal(storage.reads.length, 1)
})

test('days that are over are folded: nothing is lost, 90 days are told apart, few objects stay', async () => {
  const [storage, clock] = [memoryStorage(), fakeClock('2026-01-01T12:00:00Z')]
  const names = ['bar', 'foo']
  const total = await countDays(storage, clock, 100, names)
  const before = await stored(storage, clock, names)
  assert.equal(before.total, total)
  assert.equal(await foldAll(replica(storage, clock)), 98)
  const after = await stored(storage, clock, names)
  assert.deepEqual(after, before)
  const [bar] = after.each
  assert.equal(bar?.days.length, 89) // the last of 90 days is today, on which nothing was counted
  assert.equal(bar?.days[0]?.day, '2026-01-12')
  assert.equal(bar?.recent, 2 * Array.from({ length: 89 }, (_, n) => n + 12).reduce((a, b) => a + b))
  assert.ok((await keysOf(storage)).length <= 2 * 3 + 2 * 2)
  clock.advance(40 * DAY)
  const [later] = (await stored(storage, clock, ['bar'])).each
  assert.deepEqual([later?.total, later?.days.length], [bar?.total, 49])
})

test('a history that grows is split into parts', async () => {
  const [storage, clock] = [memoryStorage(), fakeClock()]
  const names = Array.from({ length: 30_000 }, (_, n) => `crate_${n}`)
  const total = await countDays(storage, clock, 1, names)
  clock.advance(3 * DAY)
  await countDays(storage, clock, 1, names)
  clock.advance(3 * DAY)
  assert.equal(await foldAll(replica(storage, clock)), 2)
  const parts = (await keysOf(storage, 'downloads/history/')).map((key) => key.split('/')[2])
  assert.deepEqual(parts.filter((day) => day === parts[0]).length, 1)
  assert.ok(parts.length >= 1 + 4)
  const sample = names.filter((_, n) => n % 500 === 0)
  assert.equal((await stored(storage, clock, sample)).total, 2 * total)
})

test('what is new is stored once a minute, and past days are folded then', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const [storage, clock] = [memoryStorage(), fakeClock()]
  await countDays(storage, clock, 1, ['foo'])
  clock.advance(3 * DAY)
  const counts = replica(storage, clock)
  const stored = () => keysOf(storage, 'downloads/2026-06-05/')
  counts.count('foo', '1.0.0')
  t.mock.timers.tick(MINUTE - 1)
  await turns()
  assert.deepEqual(await stored(), [])
  t.mock.timers.tick(1)
  await turns()
  assert.equal((await stored()).length, 1)
  assert.deepEqual(await keysOf(storage, 'downloads/folded/'), ['downloads/folded/2026-06-01.1.json'])
  // Nothing is new: nothing is stored.
  for (const key of await stored()) await storage.delete(key)
  t.mock.timers.tick(10 * MINUTE)
  await turns()
  assert.deepEqual(await stored(), [])
  counts.count('foo', '1.0.0')
  t.mock.timers.tick(MINUTE)
  await turns()
  assert.equal((await counts.of('foo')).days.at(-1)?.versions.get('1.0.0'), 2)
})

/** Lets everything go on that does not wait for a timer. */
async function turns(): Promise<void> {
  for (let n = 0; n < 100; n++) await turn()
}

/** What a store may do to a process: fail before it did what it was told, or after. */
const MOMENTS = ['before', 'after'] as const

test('a process that is killed at any step of folding loses and doubles nothing', async () => {
  const names = ['bar', 'foo']
  for (const moment of MOMENTS) {
    for (let step = 0, isDone = false; !isDone; step++) {
      const [storage, clock] = [memoryStorage(), fakeClock()]
      const total = await countDays(storage, clock, 6, names)
      const wanted = await stored(storage, clock, names)
      assert.equal(wanted.total, total)
      const fragile = failingAt(storage, step, moment)
      isDone = await foldAll(replica(fragile.storage, clock)).then(
        () => true,
        () => false,
      )
      assert.equal(isDone, !fragile.hasFailed())
      assert.deepEqual(await stored(storage, clock, names), wanted, `${moment} step ${step}`)
      await foldAll(replica(storage, clock))
      assert.deepEqual(await stored(storage, clock, names), wanted, `again after ${moment} step ${step}`)
      assert.deepEqual((await keysOf(storage, 'downloads/folded/')).length, 2)
      if (isDone) assert.ok(step > 40, 'every step was tried')
    }
  }
})

test('several processes that fold at once lose and double nothing, whoever is faster or killed', async () => {
  const names = ['bar', 'foo', 'qux']
  for (let seed = 1; seed <= 40; seed++) {
    const random = randomFrom(seed)
    const [storage, clock] = [memoryStorage(), fakeClock()]
    const total = await countDays(storage, clock, 6, names)
    const folders = Array.from({ length: 4 }, (_, n) => {
      const slow = slowStore(storage, random)
      const fragile = n === 0 ? failingAt(slow, Math.floor(random() * 60), 'after').storage : slow
      return foldAll(replica(fragile, clock)).catch(() => 0)
    })
    await Promise.all(folders)
    await foldAll(replica(storage, clock))
    const found = await stored(storage, clock, names)
    assert.deepEqual([found.total, found.errors], [total, []], `seed ${seed}`)
  }
})

test('whoever reads while others fold reads all', async () => {
  const names = ['foo']
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomFrom(seed)
    const [storage, clock] = [memoryStorage(), fakeClock()]
    const total = await countDays(storage, clock, 4, names)
    const folding = replica(slowStore(storage, random), clock).fold()
    let isOver = false
    void folding.then(() => {
      isOver = true
    })
    while (!isOver) {
      const reader = replica(slowStore(storage, random), clock)
      assert.equal((await reader.of('foo')).total, total, `seed ${seed}`)
    }
    await folding
  }
})

test('damaged counts are left out with an entry in the log, also for good', async () => {
  const [storage, clock] = [memoryStorage(), fakeClock()]
  await countDays(storage, clock, 1, ['foo'])
  const [damaged = ''] = await keysOf(storage)
  await storage.put(damaged, Buffer.from('{"schema":1,"day":"2026-06-01","crates":{}}'))
  const message = 'integrity: stored download counts are damaged and are left out'
  const { total, errors } = await stored(storage, clock, ['foo'])
  assert.deepEqual([total, errors], [1, [message]])
  clock.advance(4 * DAY)
  const folder = replica(storage, clock)
  assert.equal(await foldAll(folder), 1)
  assert.deepEqual(folder.errors, [message])
  assert.equal((await stored(storage, clock, ['foo'])).total, 1)
})

test('a damaged part of the history hides its crates only, and is told', async () => {
  const [storage, clock] = [memoryStorage(), fakeClock()]
  await countDays(storage, clock, 1, ['foo'])
  clock.advance(4 * DAY)
  await foldAll(replica(storage, clock))
  const late = replica(storage, clock)
  late.count('foo', '1.0.0')
  await late.close()
  const [part = ''] = await keysOf(storage, 'downloads/history/')
  await storage.put(part, Buffer.from('{}\n'))
  const { total, errors } = await stored(storage, clock, [])
  assert.equal(total, 1)
  assert.deepEqual(errors, ['integrity: a part of the download history is damaged and is left out'])
})

test('while storage is away downloads are counted and the last counts are told', async () => {
  const [storage, clock] = [watchedStore(), fakeClock()]
  const counts = replica(storage, clock)
  counts.count('foo', '1.0.0')
  await counts.flush()
  assert.equal((await counts.of('foo')).total, 1)
  storage.away(true)
  counts.count('foo', '1.0.0')
  await counts.flush()
  clock.advance(2 * MINUTE)
  assert.equal((await counts.of('foo')).total, 1)
  await assert.rejects(replica(storage, clock).of('foo'), { code: 'unavailable' })
  clock.advance(DAY)
  storage.away(false)
  await counts.close()
  assert.equal((await stored(storage, clock, ['foo'])).total, 2)
  assert.deepEqual(counts.errors, [])
})

test('counts that could not be stored until a day after theirs are given up, aloud', async () => {
  const [storage, clock] = [watchedStore(), fakeClock()]
  const counts = replica(storage, clock)
  storage.away(true)
  counts.count('foo', '1.0.0')
  await counts.flush()
  clock.advance(2 * DAY)
  storage.away(false)
  await counts.flush()
  assert.deepEqual(counts.errors, ['downloads could not be stored and are not counted'])
  assert.deepEqual(await keysOf(storage), [])
})

/** A store of which call number `step` (from 0 on) and all later ones fail: as if the process was killed there. */
function failingAt(storage: ObjectStore, step: number, moment: (typeof MOMENTS)[number]) {
  let calls = 0
  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    const isKilled = calls >= step
    calls += 1
    if (isKilled && (moment === 'before' || calls > step + 1)) throw new Error('killed')
    const result = await call()
    if (isKilled) throw new Error('killed')
    return result
  }
  return {
    hasFailed: () => calls > step,
    storage: wrapped(storage, guarded),
  }
}

/** A store whose answers come in any order, and now and then after others have done all that they have to do. */
function slowStore(storage: ObjectStore, random: () => number): ObjectStore {
  const wait = async () => {
    const longest = random() < 0.05 ? 1000 : 4
    for (let turns = Math.floor(random() * longest); turns > 0; turns--) await turn()
  }
  return wrapped(storage, async (call) => {
    await wait()
    const result = await call()
    await wait()
    return result
  })
}

function wrapped(storage: ObjectStore, guard: <T>(call: () => Promise<T>) => Promise<T>): ObjectStore {
  return {
    ...storage,
    get: (...args) => guard(() => storage.get(...args)),
    put: (...args) => guard(() => storage.put(...args)),
    stat: (...args) => guard(() => storage.stat(...args)),
    delete: (...args) => guard(() => storage.delete(...args)),
    async *list(...args) {
      for await (const object of storage.list(...args)) yield await guard(async () => object)
    },
  }
}
