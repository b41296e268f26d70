import { randomUUID } from 'node:crypto'
import { rmdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { ObjectStore } from '../host.ts'
import { raceWriters } from '../hosts/race.ts'
import type { StorageConfig } from './config-storage.ts'
import { type Outcome, type Outcomes, ok, renderMs, wrong } from './doctor-outcome.ts'
import { renderSize } from './progress.ts'
import { reasonOf } from './reason.ts'
import type { OpenStorage } from './storage.ts'

const PREFIX = 'selftest'
const WRITERS = 64
/** Below this, a few large crates fill the disk. */
const MIN_FREE = 1024 * 1024 * 1024
/** Apart by more than this, ages of objects and locks go wrong. */
const MAX_SKEW_MS = 5_000
/** Each publish waits for two or three of these. */
const SLOW_WRITE_MS = 200

/** How a kind of store is tried, and what to do about what is wrong with it. */
interface Trial {
  readonly rounds: number
  readonly remedies: Readonly<Record<'unusable' | 'unlike' | 'slow' | 'lost', string>>
}

const FOLDER: Trial = {
  rounds: 3,
  remedies: {
    unusable: 'look at the rights, the mount and the disk of the folder',
    unlike: 'use another file system',
    slow: 'use a faster disk',
    lost: 'use a file system with atomic hard links (no SMB, no FUSE without links)',
  },
}

const BUCKET: Trial = {
  rounds: 20,
  remedies: {
    unusable: 'look at `storage.s3`, at the network, and at the rights: the README lists the actions',
    unlike: 'use another S3 server',
    slow: 'use a store that is nearer',
    lost: 'use an S3 server with conditional writes, or one process alone with `storage.s3.single_writer`',
  },
}

/** Whether the configured storage is there, does what the registry relies on, and has room. */
export async function* checkConfigured(
  config: StorageConfig,
  storage: OpenStorage,
  now: () => Date,
): Outcomes {
  if (config.s3 !== undefined) {
    const bucket = await checkBucket(storage)
    yield bucket
    if (bucket.status !== 'ok') return
    yield* checkStorage(storage.store, now, BUCKET)
    if (config.s3.single_writer) yield ok('`single_writer` is set: no other process may write')
    yield* checkSpace([['temporary files', tmpdir()]])
    return
  }
  const { path } = config.fs
  const folder = await checkFolder(storage)
  yield folder
  if (folder.status !== 'ok') return
  yield* checkStorage(storage.store, now)
  // Another doctor may be at work in it, or none have been.
  await rmdir(join(path, PREFIX)).catch(() => {})
  yield* checkSpace([
    ['the storage', path],
    ['temporary files', tmpdir()],
  ])
}

/** Whether the folder is there; the store would make it. */
async function checkFolder(storage: OpenStorage): Promise<Outcome> {
  const problem = await storage.findNoRegistry()
  if (problem === undefined) return ok(storage.name)
  return wrong(
    problem,
    'correct `storage.fs.path` or `--data`, mount its disk, or start the server once, which makes it',
  )
}

async function checkBucket({ store, name }: OpenStorage): Promise<Outcome> {
  try {
    await store.stat(PREFIX)
    return ok(name)
  } catch (error) {
    return wrong(`${name} cannot be used: ${reasonOf(error)}`, BUCKET.remedies.unusable)
  }
}

/** Whether the store does what the registry relies on; everything that is written goes away again. */
export async function* checkStorage(storage: ObjectStore, now: () => Date, trial = FOLDER): Outcomes {
  const root = `${PREFIX}/${randomUUID()}`
  try {
    yield await roundTrip(storage, `${root}-object`, now, trial)
    yield await raced(storage, `${root}-race-`, trial)
  } catch (error) {
    yield wrong(`cannot be used: ${reasonOf(error)}`, trial.remedies.unusable)
  } finally {
    for await (const { key } of storage.list(root)) await storage.delete(key)
  }
}

/** Whether there is room for more, in the store and where crates are on their way. */
async function* checkSpace(places: readonly (readonly [what: string, path: string])[]): Outcomes {
  for (const [what, path] of places) {
    const { bavail, bsize, files, ffree } = await statfs(path)
    const free = bavail * bsize
    const text = `${renderSize(free)} are free for ${what}`
    if (free < MIN_FREE) yield wrong(text, `make room on the disk of \`${path}\``)
    // Some file systems have no fixed number of files.
    else if (files > 0 && ffree < files / 100)
      yield wrong(`${ffree} more files fit for ${what}`, `make room for files on the disk of \`${path}\``)
    else yield ok(text)
  }
}

async function roundTrip(
  storage: ObjectStore,
  key: string,
  now: () => Date,
  { remedies }: Trial,
): Promise<Outcome> {
  const bytes = Buffer.from(key)
  const [before, at] = [performance.now(), now().getTime()]
  await storage.put(key, bytes)
  const took = performance.now() - before
  const object = await storage.get(key)
  const isSame = object !== undefined && (await buffer(object.body)).equals(bytes)
  const listed: string[] = []
  for await (const found of storage.list(key)) listed.push(found.key)
  await storage.delete(key)
  if (!isSame || listed.join() !== key || (await storage.stat(key)) !== undefined)
    return wrong('what is written is not what is read, listed and deleted', remedies.unlike)
  const skew = object.modified.getTime() - at
  if (Math.abs(skew) > MAX_SKEW_MS)
    return wrong(`its clock is ${Math.round(skew / 1000)} s off the one here`, 'let both be set by NTP')
  if (took > SLOW_WRITE_MS)
    return wrong(
      `a durable write takes ${renderMs(took)}`,
      `${remedies.slow}: every publish waits for several`,
    )
  return ok(`write (${renderMs(took)}, durable), read, list and delete; its clock agrees with the one here`)
}

/** Of any number of writers of a new key exactly one must win: everything rests on it. */
async function raced(storage: ObjectStore, prefix: string, { rounds, remedies }: Trial): Promise<Outcome> {
  const winners = await raceWriters(storage, { prefix, writers: WRITERS, rounds })
  if (winners === undefined) return ok(`of ${WRITERS} writers of one new key, one wins`)
  return wrong(
    `of ${WRITERS} writers of one new key, ${winners} won`,
    `publishes could be lost: ${remedies.lost}`,
  )
}
